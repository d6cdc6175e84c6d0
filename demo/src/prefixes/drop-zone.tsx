import { FileUp } from 'lucide-preact'
import { useEffect, useState } from 'preact/hooks'
import { strings } from '../i18n/index.js'
import { report } from '../problems/problems.js'
import { droppedFiles, hasFiles } from './dropped-files.js'
import { addPrefix } from './prefixes.js'

/** The whole page takes prefixes; this is what it shows while one is held over it. */
export function DropZone() {
  const [over, setOver] = useState(false)
  useEffect(() => {
    const onOver = (event: DragEvent) => {
      if (!hasFiles(event)) return
      event.preventDefault()
      setOver(true)
    }
    const onLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false)
    }
    const onDrop = (event: DragEvent) => {
      setOver(false)
      if (!hasFiles(event) || !event.dataTransfer) return
      event.preventDefault()
      droppedFiles(event.dataTransfer).then(addPrefix, report)
    }
    addEventListener('dragover', onOver)
    addEventListener('dragleave', onLeave)
    addEventListener('drop', onDrop)
    return () => {
      removeEventListener('dragover', onOver)
      removeEventListener('dragleave', onLeave)
      removeEventListener('drop', onDrop)
    }
  }, [])
  if (!over) return null
  const t = strings.value.prefixes
  return (
    <div class="drop-zone">
      <div class="drop-card">
        <FileUp size={32} aria-hidden="true" />
        <strong>{t.drop}</strong>
        <span>{t.dropHelp}</span>
      </div>
    </div>
  )
}
