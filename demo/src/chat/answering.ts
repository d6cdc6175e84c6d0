import { signal } from '@preact/signals'
import {
  type AssistantMessage,
  type ChatDelta,
  ChatGLMError,
  type ChatReply,
  type Message,
} from '../../../src/index.js'
import { messagesOf, toolsOf } from '../conversation/messages.js'
import type {
  Answer,
  ConversationSettings,
  Measures,
  PrefixChoice,
  Segment,
  Turn,
} from '../conversation/types.js'
import type { Model } from '../model/backend.js'
import { prefixNamed } from '../model/prefix-cache.js'
import { isAbort, problemOf } from '../problems/problems.js'

/** An answer while it is written. */
export interface LiveAnswer {
  readonly segments: readonly Segment[]
  /** Pieces that came so far, about one for each token. */
  readonly pieces: number
  /** From the call on; undefined until the first piece. */
  readonly firstSeconds: number | undefined
}

export const NOTHING_YET: LiveAnswer = { segments: [], pieces: 0, firstSeconds: undefined }

/** What to ask. */
export interface Request {
  readonly path: readonly Turn[]
  readonly settings: ConversationSettings
  readonly prefix: PrefixChoice
  readonly seed: number | null
  readonly signal: AbortSignal
}

/** How often a hidden page, which draws no frames, is brought up to date. */
const HIDDEN_MS = 500

/** Calls back at most once for each frame, with the newest value. */
function onFrames<T>(show: (value: T) => void): { push(value: T): void; flush(): void } {
  let latest: { value: T } | undefined
  let scheduled = false
  const flush = () => {
    scheduled = false
    if (latest) show(latest.value)
    latest = undefined
  }
  return {
    push(value) {
      latest = { value }
      if (scheduled) return
      scheduled = true
      if (document.hidden) setTimeout(flush, HIDDEN_MS)
      else requestAnimationFrame(flush)
    },
    flush,
  }
}

/** Puts the pieces of an answer together. */
class Draft {
  readonly messages: AssistantMessage[] = []

  push({ segment, metadata, text }: ChatDelta): void {
    this.messages[segment] ??= { role: 'assistant', metadata, content: '' }
    this.messages[segment].content += text
  }

  get segments(): Segment[] {
    return this.messages.map(({ metadata, content }) =>
      metadata ? { type: 'code', name: metadata, code: content } : { type: 'text', text: content },
    )
  }
}

function segmentsOf({ segments }: ChatReply): Segment[] {
  return segments.map((segment) => {
    if (segment.type !== 'invalid-tool-call') return segment
    const { type, name, content, error } = segment
    return { type, name, content, problem: error.message }
  })
}

function measuresOf({ stats }: Model, generation: ChatReply['generation'] | undefined): Measures {
  const { prefillTokens, prefillSeconds, decodeTokens, decodeSeconds } = stats
  const cachedTokens = generation?.cachedTokens ?? 0
  return {
    promptTokens: generation?.promptTokens ?? prefillTokens,
    cachedTokens,
    tokens: decodeTokens + 1,
    firstTokenSeconds: prefillSeconds,
    tokensPerSecond: decodeSeconds > 0 ? decodeTokens / decodeSeconds : 0,
  }
}

/**
 * Asks the model, and shows the answer as it comes. Failures and being stopped are ends of an answer too.
 * @param live is given what has come so far
 */
export async function answer(
  model: Model,
  request: Request,
  live: (answer: LiveAnswer) => void,
): Promise<Answer> {
  const { prefix, signal } = request
  const draft = new Draft()
  const frames = onFrames(live)
  const base = { kind: 'answer', prefix } as const
  const started = performance.now()
  let pieces = 0
  let firstSeconds: number | undefined
  try {
    const stream = await startStream(model, request)
    for await (const delta of stream.deltas) {
      firstSeconds ??= (performance.now() - started) / 1000
      pieces++
      draft.push(delta)
      frames.push({ segments: draft.segments, pieces, firstSeconds })
    }
    const { segments, messages, generation } = await stream.result()
    const measures = measuresOf(model, generation)
    return { ...base, segments, messages, end: generation.finishReason, measures }
  } catch (error) {
    const rest = { ...base, segments: draft.segments, messages: draft.messages }
    const measures = pieces > 0 ? { measures: measuresOf(model, undefined) } : {}
    if (signal.aborted || isAbort(error)) return { ...rest, ...measures, end: 'stopped' }
    return { ...rest, ...measures, end: 'failed', problem: failureOf(error) }
  } finally {
    frames.flush()
  }
}

/** What is kept of an error with an answer. */
function failureOf(error: unknown): NonNullable<Answer['problem']> {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) }
  return error instanceof ChatGLMError ? { name, message, code: error.code } : { name, message }
}

interface AnswerStream {
  readonly deltas: AsyncIterable<ChatDelta>
  result(): Promise<Pick<ChatReply, 'generation'> & Pick<Answer, 'segments' | 'messages'>>
}

async function startStream(model: Model, request: Request): Promise<AnswerStream> {
  const { path, settings, prefix, seed, signal } = request
  signal.throwIfAborted()
  const { maxTokens, seed: _, ...sampling } = settings.sampling
  const options = {
    ...sampling,
    ...(maxTokens && { maxTokens }),
    ...(seed !== null && { seed }),
    ...(prefix.name !== null && { prefix: await prefixNamed(model, prefix.name) }),
    prefixStrength: prefix.strength,
    signal,
  }
  if (settings.raw) return continued(model, path, options)
  const tools = toolsOf(settings)
  const messages: Message[] = messagesOf(path, settings)
  const stream = model.chat(messages, { ...options, ...(tools && { tools }) })
  const result = async () => {
    const reply = await stream.result()
    return { generation: reply.generation, segments: segmentsOf(reply), messages: reply.messages }
  }
  return { deltas: stream, result }
}

/** The last question alone, continued as it is. */
function continued(
  model: Model,
  path: readonly Turn[],
  options: NonNullable<Parameters<Model['generate']>[1]>,
): AnswerStream {
  const question = path.findLast(({ content }) => content.kind === 'question')?.content
  const stream = model.generate(question?.kind === 'question' ? question.text : '', options)
  async function* deltas(): AsyncGenerator<ChatDelta> {
    for await (const { text } of stream) yield { text, segment: 0, metadata: '' }
  }
  const result = async () => {
    const generation = await stream.result()
    const { text } = generation
    return {
      generation,
      segments: [{ type: 'text', text } as const],
      messages: [{ role: 'assistant', content: text } as const],
    }
  }
  return { deltas: deltas(), result }
}

/** What is being written now, by the id of its turn. */
export const liveAnswers = signal<ReadonlyMap<string, LiveAnswer>>(new Map())

export function setLive(id: string, live: LiveAnswer | undefined): void {
  const next = new Map(liveAnswers.value)
  if (live) next.set(id, live)
  else next.delete(id)
  liveAnswers.value = next
}

/** Reports what ended an answer, where the page has more to say than the answer itself. */
export function problemOfAnswer({ problem }: Answer) {
  if (!problem) return undefined
  return problemOf(Object.assign(new Error(problem.message), problem))
}
