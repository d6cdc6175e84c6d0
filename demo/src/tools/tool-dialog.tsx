import { Play } from 'lucide-preact'
import { useState } from 'preact/hooks'
import { parseJson } from '../../../src/index.js'
import type { Tool } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { Button } from '../ui/button.js'
import { Dialog } from '../ui/dialog.js'
import { Field } from '../ui/field.js'
import { runTool } from './sandbox.js'

interface ToolDialogProps {
  readonly tool: Tool
  readonly others: readonly Tool[]
  readonly onSave: (tool: Tool) => void
  readonly onClose: () => void
}

/** @returns why a text is no JSON object; undefined where it is one */
function objectProblem(text: string): string | undefined {
  try {
    const value: unknown = parseJson(text)
    const isObject = typeof value === 'object' && value !== null && !(value instanceof Number)
    return isObject && !Array.isArray(value) ? undefined : text
  } catch (error) {
    return (error as Error).message
  }
}

/** Defines a tool: what the model is told of it, and what is run for it. */
export function ToolDialog({ tool, others, onSave, onClose }: ToolDialogProps) {
  const [draft, setDraft] = useState(tool)
  const t = strings.value
  const nameIsGood = /^[A-Za-z_]\w{0,63}$/.test(draft.name) && !others.some(({ name }) => name === draft.name)
  const schemaProblem = objectProblem(draft.parameters)
  const change = (changes: Partial<Tool>) => setDraft({ ...draft, ...changes })
  return (
    <Dialog
      title={tool.name === '' ? t.tools.create : t.tools.edit}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t.app.cancel}</Button>
          <Button
            kind="primary"
            disabled={!nameIsGood || schemaProblem !== undefined}
            onClick={() => {
              onSave(draft)
              onClose()
            }}
          >
            {t.app.save}
          </Button>
        </>
      }
    >
      <Field
        label={t.tools.name}
        help={t.tools.nameHelp}
        problem={nameIsGood || draft.name === '' ? undefined : t.tools.badName}
      >
        {(tie) => (
          <input
            {...tie}
            class="input input-code"
            value={draft.name}
            autoFocus={tool.name === ''}
            autocomplete="off"
            spellcheck={false}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={t.tools.description} help={t.tools.descriptionHelp}>
        {(tie) => (
          <input
            {...tie}
            class="input"
            value={draft.description}
            onInput={(event) => change({ description: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field
        label={t.tools.parameters}
        problem={schemaProblem === undefined ? undefined : t.tools.badSchema(schemaProblem)}
      >
        {(tie) => (
          <textarea
            {...tie}
            class="input input-code"
            rows={8}
            spellcheck={false}
            value={draft.parameters}
            onInput={(event) => change({ parameters: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={t.tools.body} help={t.tools.bodyHelp}>
        {(tie) => (
          <textarea
            {...tie}
            class="input input-code"
            rows={7}
            spellcheck={false}
            value={draft.body}
            onInput={(event) => change({ body: event.currentTarget.value })}
          />
        )}
      </Field>
      {draft.body.trim() !== '' && <TryOut body={draft.body} />}
    </Dialog>
  )
}

/** Runs the code once, as the model would. */
function TryOut({ body }: { readonly body: string }) {
  const [args, setArgs] = useState('{}')
  const [result, setResult] = useState<string>()
  const [running, setRunning] = useState(false)
  const t = strings.value.tools
  const problem = objectProblem(args)
  const run = async () => {
    setRunning(true)
    const answer = await runTool(body, parseJson(args), new AbortController().signal)
    setRunning(false)
    setResult('value' in answer ? answer.value : answer.error === 'timeout' ? t.timeout : answer.error)
  }
  return (
    <div class="try-out">
      <Field label={t.testArguments} problem={problem === undefined ? undefined : t.badSchema(problem)}>
        {(tie) => (
          <input
            {...tie}
            class="input input-code"
            value={args}
            spellcheck={false}
            onInput={(event) => setArgs(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="button-row">
        <Button small icon={Play} disabled={running || problem !== undefined} onClick={run}>
          {t.test}
        </Button>
        <output class="try-result">{running ? t.running : result}</output>
      </div>
    </div>
  )
}
