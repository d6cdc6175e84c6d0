import type {
  AdapterHandle,
  AssistantMessage,
  ChatDelta,
  GenerateOptions,
  Generation,
  GenerationStats,
  Message,
  ReplySegment,
} from '../index.js'
import type { CliModel } from './library.js'
import { openPrefix } from './open-prefix.js'

/** A whole answer and what it took. */
export interface Answer {
  readonly segments: readonly ReplySegment[]
  readonly generation: Generation
  readonly stats: GenerationStats
  readonly seed: number
}

/** What can be asked: a user's text, or what a tool answered. */
export type Question = Extract<Message, { role: 'user' | 'observation' }>

export interface SessionOptions {
  readonly generation: GenerateOptions
  /** Of the first answer; each later one counts up, or asking again would change nothing. */
  readonly seed: number
  /** What the user calls the model: the bundled one has prefixes with names. */
  readonly modelName: string
  /** Whether prompts are continued as they are; there is no conversation then. */
  readonly raw: boolean
  readonly system: string | undefined
  readonly tools: object | undefined
  readonly prefixStrength: number
}

interface Turn {
  readonly history: readonly Message[]
  readonly question: Question
}

type Show = (delta: ChatDelta) => void

/** A conversation with a model, and the settings that may change during it. */
export class ChatSession {
  system: string | undefined
  prefixStrength: number
  readonly raw: boolean
  readonly #model: CliModel
  readonly #options: SessionOptions
  readonly #prefixes = new Map<string, AdapterHandle>()
  #prefixName: string | undefined
  #messages: readonly Message[] = []
  /** The last question, to ask it again. */
  #turn: Turn | undefined
  #answers = 0

  constructor(model: CliModel, options: SessionOptions) {
    this.#model = model
    this.#options = options
    this.system = options.system
    this.prefixStrength = options.prefixStrength
    this.raw = options.raw
  }

  get model(): CliModel {
    return this.#model
  }

  /** Prefixes loaded so far, by the path that the user gave. */
  get prefixes(): ReadonlyMap<string, AdapterHandle> {
    return this.#prefixes
  }

  /** Whether there is a conversation that the next question continues. */
  get begun(): boolean {
    return !this.raw && this.#messages.length > 0
  }

  /** Whether the model called a tool and waits for its answer. */
  get awaitsObservation(): boolean {
    const last = this.#messages.at(-1)
    return last?.role === 'assistant' && last.metadata !== ''
  }

  /** The path of the prefix in use. */
  get prefixName(): string | undefined {
    return this.#prefixName
  }

  /**
   * Loads a prefix unless it is loaded, and uses it from now on; undefined for none.
   * @throws `checkpoint.prefix-invalid`, and errors of the source
   */
  async usePrefix(path: string | undefined, signal: AbortSignal): Promise<void> {
    if (path !== undefined && !this.#prefixes.has(path)) {
      this.#prefixes.set(path, await openPrefix(this.#model, this.#options.modelName, path, signal))
    }
    this.#prefixName = path
  }

  /** Forgets the conversation; settings stay. */
  clear(): void {
    this.#messages = []
    this.#turn = undefined
  }

  /**
   * Asks and waits for the whole answer. An answer that is stopped half-way stays in the conversation as far as it
   * came; a question that fails does not.
   * @param show takes pieces as they come
   * @throws what the model throws, and the signal's reason
   */
  ask(question: Question, show: Show, signal: AbortSignal): Promise<Answer> {
    return this.#answer({ history: this.raw ? [] : this.#messages, question }, show, signal)
  }

  /**
   * Asks the last question again, for another answer.
   * @returns undefined when there is none
   */
  async askAgain(show: Show, signal: AbortSignal): Promise<Answer | undefined> {
    return this.#turn && this.#answer(this.#turn, show, signal)
  }

  async #answer(turn: Turn, show: Show, signal: AbortSignal): Promise<Answer> {
    const messages = [...turn.history, turn.question]
    const seed = (this.#options.seed + this.#answers++) % 2 ** 32
    const prefix = this.#prefixName === undefined ? undefined : this.#prefixes.get(this.#prefixName)
    const options = { ...this.#options.generation, seed, prefix, prefixStrength: this.prefixStrength, signal }
    const partial: AssistantMessage[] = []
    const seen: Show = (delta) => {
      partial[delta.segment] ??= { role: 'assistant', metadata: delta.metadata, content: '' }
      partial[delta.segment].content += delta.text
      show(delta)
    }
    try {
      const { segments, generation, replies } = this.raw
        ? await this.#continue(turn.question.content, options, seen)
        : await this.#chat(messages, options, seen)
      this.#messages = [...messages, ...replies]
      this.#turn = turn
      return { segments, generation, stats: this.#model.stats, seed }
    } catch (error) {
      if (signal.aborted && partial.length > 0) {
        this.#messages = [...messages, ...partial]
        this.#turn = turn
      }
      throw error
    }
  }

  async #chat(messages: readonly Message[], options: GenerateOptions, show: Show) {
    const { tools } = this.#options
    const system: Message[] = this.system === undefined ? [] : [{ role: 'system', content: this.system }]
    const stream = this.#model.chat([...system, ...messages], { ...options, ...(tools && { tools }) })
    for await (const delta of stream) show(delta)
    const { segments, generation, messages: replies } = await stream.result()
    return { segments, generation, replies }
  }

  async #continue(prompt: string, options: GenerateOptions, show: Show) {
    const stream = this.#model.generate(prompt, options)
    for await (const { text } of stream) show({ text, segment: 0, metadata: '' })
    const generation = await stream.result()
    const segments: ReplySegment[] = [{ type: 'text', text: generation.text }]
    return { segments, generation, replies: [] }
  }
}
