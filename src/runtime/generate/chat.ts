import { anObject, checkOptions, type OptionShape } from '../../schema/index.js'
import {
  buildPrompt,
  checkMessages,
  hasTools,
  isMetadata,
  type Message,
  mayBecomeMetadata,
  type PromptOptions,
  parseReply,
  parseReplyIds,
  type Reply,
  type ReplyOptions,
  type Tokenizer,
  toolNames,
} from '../../tokenizer/index.js'
import { isOfText } from './constraint/constraint.js'
import {
  ALIASES,
  GENERATE_SHAPE,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
} from './generation.js'
import { flatMap } from './stream.js'

export interface ChatOptions extends GenerateOptions, PromptOptions {}

/** What each of them takes. */
export const CHAT_SHAPE: OptionShape<ChatOptions> = { ...GENERATE_SHAPE, tools: anObject }

/** A piece of an answer as it comes. */
export interface ChatDelta {
  /** What to show; the role's header and the spaces around it are left out. */
  readonly text: string
  /** Counts from 0: an answer may have several segments, such as a thought and then the call of a tool. */
  readonly segment: number
  /** Whom the segment is meant for: a tool by its name, `interpreter`, or nobody in particular if empty. */
  readonly metadata: string
  /** The tokens since the piece before, headers and spaces among them, where `topLogprobs` asked for the likeliest ones. */
  readonly tokens?: readonly GeneratedToken[]
}

/** A whole answer. */
export interface ChatReply extends Reply {
  readonly generation: Generation
}

/**
 * Takes the headers out of an answer as it comes. A segment begins with a line of metadata, empty where it is meant for
 * the user; what can be no metadata any more is text, and is given out at once.
 */
export class SegmentReader {
  readonly #options: ReplyOptions
  #segment = 0
  /** What may still be metadata; undefined once that is decided. */
  #header: string | undefined = ''
  #metadata = ''
  #begun = false

  /** @param options whether the conversation has tools, whose names are metadata */
  constructor(options: ReplyOptions) {
    this.#options = options
  }

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
    const held = this.#header + text
    const end = held.indexOf('\n')
    const line = held.slice(0, end < 0 ? undefined : end).trim()
    if (end < 0 && mayBecomeMetadata(line, this.#options)) {
      this.#header = held
      return []
    }
    this.#header = undefined
    if (end < 0 || !isMetadata(line, this.#options)) return this.#show(held)
    this.#metadata = line
    return this.#show(held.slice(end + 1))
  }

  #show(text: string): ChatDelta[] {
    const shown = this.#begun ? text : text.trimStart()
    if (shown === '') return []
    this.#begun = true
    return [{ text: shown, segment: this.#segment, metadata: this.#metadata }]
  }
}

/** The ids that begin an answer which is meant for the user: a line without metadata. */
export function answerHeader(tokenizer: Tokenizer): number[] {
  return tokenizer.encode('\n')
}

/** Asks for the next answer of a conversation and takes it apart as it comes. */
export async function* chat(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  options: ChatOptions,
  generate: (ids: readonly number[], options: GenerateOptions) => AsyncGenerator<GeneratedToken, Generation>,
): AsyncGenerator<ChatDelta, ChatReply> {
  checkOptions(CHAT_SHAPE, options, ALIASES)
  checkMessages(messages)
  const { tools: offered, ...rest } = options
  const tools = offered ? { tools: offered } : {}
  const { constraint } = options
  const callable = constraint && 'toolCall' in constraint ? { tools: constraint.toolCall } : tools
  const settings = { hasTools: hasTools(messages, callable), toolNames: toolNames(messages, callable) }
  const reader = new SegmentReader(settings)
  // The header of the answer is no part of what a constraint is about: it is written into the prompt.
  const ofText = isOfText(constraint)
  const header = ofText ? answerHeader(tokenizer) : []
  if (ofText) reader.push('\n', false)
  const prompt = [...buildPrompt(tokenizer, messages, tools), ...header]
  let tokens: GeneratedToken[] = []
  const withTokens = (deltas: ChatDelta[]): ChatDelta[] => {
    if (!rest.topLogprobs || deltas.length === 0) return deltas
    const [first, ...others] = deltas
    const taken = tokens
    tokens = []
    return [{ ...first, tokens: taken }, ...others]
  }
  const generation = yield* flatMap(generate(prompt, rest), (token) => {
    if (rest.topLogprobs) tokens.push(token)
    return withTokens(reader.push(token.text, token.id === tokenizer.special.assistant))
  })
  yield* withTokens(reader.flush())
  // A stop text cuts within the ids, so that only the text is exact then.
  const cutByText = !constraint && generation.finishReason === 'stop' && generation.stopId === undefined
  const reply = cutByText
    ? parseReply(generation.text, settings)
    : parseReplyIds(tokenizer, [...header, ...generation.ids], settings)
  return { ...reply, generation }
}
