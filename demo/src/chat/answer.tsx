import { Check, Copy, RotateCcw, Wrench } from 'lucide-preact'
import { stringifyJson } from '../../../src/index.js'
import { pendingCall, textOf } from '../conversation/messages.js'
import type { Answer, Segment, Turn } from '../conversation/types.js'
import { strings } from '../i18n/index.js'
import { CodeBlock, Markdown } from '../markdown/markdown.js'
import { modelState } from '../model/model.js'
import { nameOfModel } from '../models/model-name.js'
import { IconButton } from '../ui/button.js'
import { useCopied } from '../ui/use-copied.js'
import { liveAnswers, problemOfAnswer } from './answering.js'
import { Branches } from './branches.js'
import { MeasuresLine } from './measures.js'
import { answerAgain, isAnswering } from './session.js'
import { PendingCall } from './tool-answer.js'

interface AnswerProps {
  readonly turn: Turn
  readonly answer: Answer
  readonly isLast: boolean
}

export function AnswerView({ turn, answer, isLast }: AnswerProps) {
  const t = strings.value
  const running = answer.end === undefined
  // Only the answer that is being written is drawn again with every piece.
  const live = running ? liveAnswers.value.get(turn.id) : undefined
  const segments = live?.segments ?? answer.segments
  const call = pendingCall(answer)
  return (
    <article class="turn answer" aria-label={t.chat.model} aria-busy={running}>
      {segments.map((segment, index) => (
        <SegmentView key={index} segment={segment} live={running && index === segments.length - 1} />
      ))}
      {running && segments.length === 0 && <Thinking />}
      <Ending answer={answer} />
      {!running && (
        <div class="turn-actions">
          <Branches turn={turn} />
          <Actions turn={turn} segments={segments} />
          {answer.measures && <MeasuresLine measures={answer.measures} prefix={answer.prefix} />}
        </div>
      )}
      {call && isLast && !isAnswering.value && <PendingCall turn={turn} name={call.name} />}
    </article>
  )
}

function Actions({ turn, segments }: { readonly turn: Turn; readonly segments: readonly Segment[] }) {
  const [copied, copy] = useCopied()
  const t = strings.value
  return (
    <>
      <IconButton
        icon={copied ? Check : Copy}
        size={16}
        label={copied ? t.app.copied : t.app.copy}
        onClick={() => copy(textOf(segments))}
      />
      <IconButton
        icon={RotateCcw}
        size={16}
        label={t.chat.again}
        disabled={isAnswering.value}
        onClick={() => answerAgain(turn)}
      />
    </>
  )
}

/** What is done before the first piece comes. */
export function Thinking() {
  const t = strings.value
  const model = modelState.value
  return (
    <p class="thinking">
      <span class="thinking-dots" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {model.state === 'loading' ? t.models.loading(nameOfModel(model.source)) : t.chat.thinking}
    </p>
  )
}

const isBlank = ({ segments }: Answer) =>
  segments.every((segment) => segment.type === 'text' && segment.text.trim() === '')

/** Why the answer ended, where it is not by itself. */
export function Ending({ answer }: { readonly answer: Answer }) {
  const t = strings.value
  const problem = problemOfAnswer(answer)
  if (problem) {
    const { title, text } = t.problems[problem.kind]
    return (
      <p class="ending ending-problem">
        <strong>{title}.</strong> {text}
      </p>
    )
  }
  if (answer.end === 'stop' && isBlank(answer)) return <p class="ending">{t.chat.nothing}</p>
  if (answer.end === 'stopped') return <p class="ending">{t.chat.stopped}</p>
  if (answer.end === 'length') return <p class="ending">{t.chat.cut}</p>
  if (answer.end === 'context') return <p class="ending">{t.chat.full}</p>
  return null
}

export function SegmentView({ segment, live }: { readonly segment: Segment; readonly live: boolean }) {
  const t = strings.value
  switch (segment.type) {
    case 'text':
      return <Markdown text={segment.text} live={live} />
    case 'code':
      return (
        <div class="call">
          <p class="call-head">{t.chat.thought(segment.name)}</p>
          <CodeBlock
            language={segment.name === 'interpreter' ? 'python' : ''}
            text={segment.code}
            growing={live}
          />
        </div>
      )
    case 'tool-call':
      return (
        <div class="call">
          <p class="call-head">
            <Wrench size={15} aria-hidden="true" /> {t.tools.calls(segment.name)}
          </p>
          <CodeBlock language="json" text={stringifyJson(segment.parameters, 2)} />
        </div>
      )
    case 'invalid-tool-call':
      return (
        <div class="call">
          <p class="call-head">
            <Wrench size={15} aria-hidden="true" /> {t.tools.calls(segment.name)}
          </p>
          <CodeBlock language="" text={segment.content} />
          <p class="ending ending-problem">
            <strong>{t.tools.invalid}</strong> {segment.problem}
          </p>
        </div>
      )
  }
}
