import { Box, Puzzle, ShieldCheck, Trash2 } from 'lucide-preact'
import { useState } from 'preact/hooks'
import type { StoredItem } from '../../../src/browser.js'
import { formatBytes } from '../i18n/format.js'
import { strings } from '../i18n/index.js'
import { closeModel, modelState, openModel } from '../model/model.js'
import { report } from '../problems/problems.js'
import { showToast } from '../shell/toast.js'
import { deleteStored, keepsModels, storedItems, verify } from '../storage/store.js'
import { Button, IconButton } from '../ui/button.js'
import { Confirm } from '../ui/dialog.js'
import { Progress } from '../ui/progress.js'
import { downloads, startDownload } from './downloads.js'

/** Models and prefixes that are kept in this browser. */
export function StoredItems() {
  const t = strings.value.models
  if (keepsModels.value === false) return <p class="group-note">{strings.value.problems.noStorage.text}</p>
  const items = storedItems.value.filter(({ name }) => !downloads.value.has(name))
  return (
    <section class="group" aria-label={t.storedHeading}>
      <h3>{t.storedHeading}</h3>
      {items.length === 0 ? (
        <p class="group-note">{t.storedEmpty}</p>
      ) : (
        <ul class="items">
          {items.map((item) => (
            <StoredItemView key={item.name} item={item} />
          ))}
        </ul>
      )}
    </section>
  )
}

function StoredItemView({ item }: { readonly item: StoredItem }) {
  const [removing, setRemoving] = useState(false)
  const [verified, setVerified] = useState<number>()
  const { name, kind, bytes, totalBytes, complete, source } = item
  const t = strings.value.models
  const state = modelState.value
  const inUse = state.state !== 'none' && state.source.kind === 'stored' && state.source.name === name
  const Icon = kind === 'model' ? Box : Puzzle
  const check = async () => {
    setVerified(0)
    try {
      const damaged = await verify(name, ({ doneBytes }) => setVerified(doneBytes / Math.max(1, totalBytes)))
      showToast(damaged.length === 0 ? t.verified : t.damaged(damaged.join(', ')))
    } catch (error) {
      report(error)
    }
    setVerified(undefined)
  }
  const remove = () => {
    if (inUse) closeModel()
    deleteStored(name).catch(report)
  }
  return (
    <li class="item">
      <Icon size={19} aria-hidden="true" />
      <div class="item-name">
        <strong>{name}</strong>
        <span>
          {complete
            ? formatBytes(totalBytes)
            : source === 'training'
              ? t.unfinished
              : t.partial(formatBytes(bytes), formatBytes(totalBytes))}
          {kind === 'model' && source !== name && ` · ${source}`}
        </span>
        {verified !== undefined && (
          <div class="item-progress">
            <Progress label={t.verifying} value={verified} />
          </div>
        )}
      </div>
      <div class="item-actions">
        {inUse && <span class="tag">{t.current}</span>}
        {kind === 'model' && complete && !inUse && (
          <Button small onClick={() => openModel({ kind: 'stored', name })}>
            {t.use}
          </Button>
        )}
        {kind === 'model' && !complete && (
          <Button small onClick={() => startDownload({ name, location: source })}>
            {t.resume}
          </Button>
        )}
        <IconButton
          icon={ShieldCheck}
          label={`${t.verify}: ${name}`}
          disabled={verified !== undefined}
          onClick={check}
        />
        <IconButton icon={Trash2} label={`${t.remove}: ${name}`} onClick={() => setRemoving(true)} />
      </div>
      {removing && (
        <Confirm
          question={t.removeAsk(name, formatBytes(bytes))}
          action={t.remove}
          onConfirm={remove}
          onClose={() => setRemoving(false)}
        />
      )}
    </li>
  )
}
