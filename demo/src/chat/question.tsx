import { Check, Copy, Pencil } from 'lucide-preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Question, Turn } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { Button, IconButton } from '../ui/button.js'
import { useCopied } from '../ui/use-copied.js'
import { Branches } from './branches.js'
import { sends, useAutosize } from './composer.js'
import { askInstead, isAnswering } from './session.js'

interface QuestionProps {
  readonly turn: Turn
  readonly question: Question
}

export function QuestionView({ turn, question }: QuestionProps) {
  const [editing, setEditing] = useState(false)
  const [copied, copy] = useCopied()
  const t = strings.value
  if (editing) return <Editor turn={turn} text={question.text} onClose={() => setEditing(false)} />
  return (
    <article class="turn question" aria-label={t.chat.you}>
      <div class="question-text">{question.text}</div>
      <div class="turn-actions">
        <Branches turn={turn} />
        <IconButton
          icon={copied ? Check : Copy}
          size={16}
          label={copied ? t.app.copied : t.app.copy}
          onClick={() => copy(question.text)}
        />
        <IconButton
          icon={Pencil}
          size={16}
          label={t.chat.edit}
          disabled={isAnswering.value}
          onClick={() => setEditing(true)}
        />
      </div>
    </article>
  )
}

interface EditorProps {
  readonly turn: Turn
  readonly text: string
  readonly onClose: () => void
}

function Editor({ turn, text: initial, onClose }: EditorProps) {
  const [text, setText] = useState(initial)
  const area = useRef<HTMLTextAreaElement>(null)
  const t = strings.value
  useAutosize(area, text)
  useEffect(() => area.current?.focus(), [])
  const send = () => {
    if (text.trim() === '') return
    onClose()
    askInstead(turn, text.trim())
  }
  return (
    <form
      class="turn question-editor"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <textarea
        ref={area}
        value={text}
        aria-label={t.chat.edit}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.stopPropagation()
            onClose()
          }
          if (!sends(event)) return
          event.preventDefault()
          send()
        }}
      />
      <div class="form-actions">
        <Button small onClick={onClose}>
          {t.app.cancel}
        </Button>
        <Button small kind="primary" type="submit" disabled={text.trim() === ''}>
          {t.chat.editSend}
        </Button>
      </div>
    </form>
  )
}
