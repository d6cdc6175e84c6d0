import {
  buildPrompt,
  hasTools,
  type Message,
  type PromptOptions,
  parseReply,
  parseReplyIds,
  type Reply,
  type Tokenizer,
} from '../tokenizer/index.js'
import type { GeneratedToken, GenerateOptions, Generation } from './generation.js'
import { flatMap } from './stream.js'

export interface ChatOptions extends GenerateOptions, PromptOptions {}

/** A piece of an answer as it comes. */
export interface ChatDelta {
  /** What to show; the role's header and the spaces around it are left out. */
  readonly text: string
  /** Counts from 0: an answer may have several segments, such as a thought and then the call of a tool. */
  readonly segment: number
  /** Whom the segment is meant for: a tool by its name, `interpreter`, or nobody in particular if empty. */
  readonly metadata: string
}

/** A whole answer. */
export interface ChatReply extends Reply {
  readonly generation: Generation
}

/** Takes the headers out of an answer as it comes: each segment begins with a line of metadata. */
export class SegmentReader {
  #segment = 0
  /** The first line so far; undefined once it is complete. */
  #header: string | undefined = ''
  #metadata = ''
  #begun = false

  /** @param endsSegment whether the piece ends with the token `<|assistant|>` */
  push(text: string, endsSegment: boolean): ChatDelta[] {
    const deltas = this.#take(endsSegment ? text.replace(/<\|assistant\|>$/, '') : text)
    if (!endsSegment) return deltas
    deltas.push(...this.flush())
    this.#segment++
    this.#header = ''
    this.#metadata = ''
    this.#begun = false
    return deltas
  }

  /** Ends the segment: one of a single line has no metadata. */
  flush(): ChatDelta[] {
    if (this.#header === undefined) return []
    const line = this.#header
    this.#header = undefined
    return this.#show(line)
  }

  #take(text: string): ChatDelta[] {
    if (this.#header === undefined) return this.#show(text)
    const line = this.#header + text
    const end = line.indexOf('\n')
    if (end < 0) {
      this.#header = line
      return []
    }
    this.#header = undefined
    this.#metadata = line.slice(0, end).trim()
    return this.#show(line.slice(end + 1))
  }

  #show(text: string): ChatDelta[] {
    const shown = this.#begun ? text : text.trimStart()
    if (shown === '') return []
    this.#begun = true
    return [{ text: shown, segment: this.#segment, metadata: this.#metadata }]
  }
}

/** Asks for the next answer of a conversation and takes it apart as it comes. */
export async function* chat(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  options: ChatOptions,
  generate: (ids: readonly number[], options: GenerateOptions) => AsyncGenerator<GeneratedToken, Generation>,
): AsyncGenerator<ChatDelta, ChatReply> {
  const tools = options.tools ? { tools: options.tools } : {}
  const reader = new SegmentReader()
  const generation = yield* flatMap(
    generate(buildPrompt(tokenizer, messages, tools), options),
    ({ id, text }) => reader.push(text, id === tokenizer.special.assistant),
  )
  yield* reader.flush()
  const settings = { hasTools: hasTools(messages, tools) }
  // A stop text cuts within the ids, so that only the text is exact then.
  const cutByText = generation.finishReason === 'stop' && generation.stopId === undefined
  const reply = cutByText
    ? parseReply(generation.text, settings)
    : parseReplyIds(tokenizer, generation.ids, settings)
  return { ...reply, generation }
}
