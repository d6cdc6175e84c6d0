import { FolderOpen, Sparkles } from 'lucide-preact'
import { strings } from '../i18n/index.js'
import { modelState, openModel, SHIPPED } from '../model/model.js'
import { isAbort, report } from '../problems/problems.js'
import { Button } from '../ui/button.js'
import { chooseFiles } from '../ui/file-choice.js'

/** Models that need no download: the one of the page, and folders of the disk. */
export function LocalModels() {
  const t = strings.value.models
  const state = modelState.value
  const usesShipped = state.state !== 'none' && state.source.kind === 'shipped'
  return (
    <section class="group" aria-label={t.shippedHeading}>
      <h3>{t.shippedHeading}</h3>
      <ul class="items">
        <li class="item">
          <Sparkles size={19} aria-hidden="true" />
          <div class="item-name">
            <strong>{t.shipped}</strong>
            <span>{t.shippedNote}</span>
          </div>
          {usesShipped ? (
            <span class="tag">{t.current}</span>
          ) : (
            <Button small onClick={() => openModel(SHIPPED)}>
              {t.use}
            </Button>
          )}
        </li>
        <li class="item">
          <FolderOpen size={19} aria-hidden="true" />
          <div class="item-name">
            <strong>{t.folderHeading}</strong>
            <span>{t.folderNote}</span>
          </div>
          <Button small onClick={() => openFolder().catch(report)}>
            {t.folderChoose}
          </Button>
        </li>
      </ul>
    </section>
  )
}

interface WithDirectoryPicker {
  showDirectoryPicker(options: { readonly id: string }): Promise<FileSystemDirectoryHandle>
}

/** Reads a model where it is: nothing is copied. */
async function openFolder(): Promise<void> {
  if ('showDirectoryPicker' in window) {
    try {
      const folder = await (window as unknown as WithDirectoryPicker).showDirectoryPicker({ id: 'model' })
      await openModel({ kind: 'folder', name: folder.name, location: folder })
    } catch (error) {
      if (!isAbort(error)) throw error
    }
    return
  }
  const files = await chooseFiles({ folder: true })
  const [first] = files
  if (!first) return
  const [name] = first.webkitRelativePath.split('/')
  await openModel({ kind: 'folder', name, location: files })
}
