import { useState } from 'preact/hooks'
import { toolNamed } from '../conversation/messages.js'
import { currentSettings } from '../conversation/store.js'
import type { Turn } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { Button } from '../ui/button.js'
import { Field } from '../ui/field.js'
import { answerAsTool } from './session.js'

interface PendingCallProps {
  readonly turn: Turn
  readonly name: string
}

/** Where the user answers in the place of a tool. */
export function PendingCall({ turn, name }: PendingCallProps) {
  const [text, setText] = useState('')
  const t = strings.value.tools
  const tool = toolNamed(currentSettings.value.tools, name)
  const help = !tool ? t.unknown(name) : tool.body.trim() === '' ? t.answerHelp : t.tooMany
  return (
    <form
      class="tool-answer"
      onSubmit={(event) => {
        event.preventDefault()
        answerAsTool(turn, name, text)
      }}
    >
      <Field label={t.answerFor(name)} help={help}>
        {(tie) => (
          <textarea
            {...tie}
            class="input input-code"
            rows={3}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="form-actions">
        <Button small kind="primary" type="submit" disabled={text.trim() === ''}>
          {t.sendAnswer}
        </Button>
      </div>
    </form>
  )
}
