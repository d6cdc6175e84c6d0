import type { SourceLocation } from '../checkpoint/index.js'
import { type DeviceError, disposed, hasCode, InputError, invalidOption } from '../errors/index.js'
import type { AdapterInfo } from '../gpu/index.js'
import type { VariantChoices } from '../runtime/engine/index.js'
import {
  type AdapterOptions,
  type BatchToken,
  Channel,
  type ChatDelta,
  type ChatOptions,
  type ChatReply,
  type GeneratedToken,
  type GenerateOptions,
  type Generation,
  type GenerationStats,
  type LoadAdapterOptions,
  type LogitsOptions,
  type MemoryUse,
  type Model,
  type ModelLoad,
  type Prompt,
  type ScoresOptions,
  Stream,
  type TokenScores,
} from '../runtime/generate/index.js'
import type { AdapterHandle, ModelConfig } from '../runtime/model/index.js'
import type { Message, Tokenizer } from '../tokenizer/index.js'
import { otherAnswer } from './errors.js'
import { Places } from './places.js'

/** The same model on one of several cards. */
export interface Replica<One extends Model = Model> {
  /** For people: `GPU 1 (NVIDIA H200)`. */
  readonly label: string
  readonly model: One
}

export interface ReplicatedOptions {
  /** Sequences side by side on each card. */
  readonly maxSequences: number
  /** Sequences that may wait for a place on any. */
  readonly maxWaiting: number
  /** Told of a card that is lost while others go on. */
  readonly onLost?: (label: string, error: DeviceError) => void
}

/** Sequences given to a card beyond those that have a place there: the next is there when one ends. */
const AHEAD = 2

/** Errors by which a card, or the process on it, is gone, and not the call wrong. */
const GONE = ['device.lost', 'device.failed', 'device.worker-failed'] as const

/**
 * One model on several cards, whole on each. Calls wait in one queue, and each goes to the card with the most room. What a
 * lost card was at work on is done again on another: with the same seed, so that the answer goes on where it was.
 */
export class ReplicatedModel<One extends Model = Model> implements Model {
  readonly tokenizer: Tokenizer
  readonly config: ModelConfig
  readonly contextLength: number
  readonly adapter: AdapterInfo
  readonly variants: Partial<VariantChoices>
  /** Fulfilled when the last card is lost. */
  readonly lost: Promise<DeviceError>
  readonly #replicas: readonly Replica<One>[]
  readonly #places: Places<Replica<One>>
  readonly #adapters = new WeakMap<AdapterHandle, ReadonlyMap<Replica<One>, AdapterHandle>>()
  readonly #onLost: ReplicatedOptions['onLost']
  #allLost: (error: DeviceError) => void = () => {}
  #stats: GenerationStats
  #disposed = false

  /** @internal Use `loadModel` with `gpu`. */
  constructor(
    replicas: readonly Replica<One>[],
    tokenizer: Tokenizer,
    { maxSequences, maxWaiting, onLost }: ReplicatedOptions,
  ) {
    const [{ model }] = replicas
    this.tokenizer = tokenizer
    this.config = model.config
    this.contextLength = model.contextLength
    this.adapter = model.adapter
    this.variants = model.variants
    this.#stats = model.stats
    this.#replicas = replicas
    this.#onLost = onLost
    this.#places = new Places(replicas, maxSequences + AHEAD, maxWaiting)
    this.lost = new Promise((resolve) => {
      this.#allLost = resolve
    })
    for (const replica of replicas) replica.model.lost.then((error) => this.#lose(replica, error))
  }

  /** The cards that are not lost. */
  get replicas(): readonly Replica<One>[] {
    return this.#places.items
  }

  /** Of all cards together. */
  get memory(): MemoryUse {
    const all = this.#replicas.map(({ model }) => model.memory)
    return all.reduce((sum, one) => {
      const added = Object.entries(one).map(([name, bytes]) => [name, bytes + sum[name as keyof MemoryUse]])
      return Object.fromEntries(added) as unknown as MemoryUse
    })
  }

  get load(): ModelLoad {
    return { running: this.#places.taken, waiting: this.#places.waiting }
  }

  get stats(): GenerationStats {
    return this.#stats
  }

  chat(messages: readonly Message[], options: ChatOptions = {}): Stream<ChatDelta, ChatReply> {
    const seeded = this.#seeded(options)
    return new Stream(
      this.#stream(
        seeded.signal,
        (replica) => replica.model.chat(messages, this.#on(replica, seeded)),
        ({ text }) => text,
      ),
    )
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): Stream<GeneratedToken, Generation> {
    return new Stream(this.#generate(prompt, this.#seeded(options)))
  }

  generateBatch(prompts: readonly Prompt[], options: GenerateOptions = {}): Stream<BatchToken, Generation[]> {
    if (!Array.isArray(prompts)) throw invalidOption('prompts', prompts, 'a list of prompts')
    return new Stream(this.#generateBatch(prompts, this.#seeded(options)))
  }

  async logits(ids: readonly number[], options: LogitsOptions = {}): Promise<Float32Array> {
    return this.#whole(options.signal, (replica) => replica.model.logits(ids, this.#on(replica, options)))
  }

  async scores(prompt: Prompt, options: ScoresOptions = {}): Promise<TokenScores> {
    return this.#whole(options.signal, (replica) => replica.model.scores(prompt, this.#on(replica, options)))
  }

  /** Loads an adapter onto every card. */
  async loadAdapter(source: SourceLocation, options: LoadAdapterOptions = {}): Promise<AdapterHandle> {
    if (this.#disposed) throw disposed('model')
    const loading = this.replicas.map(async (replica) => {
      return [replica, await replica.model.loadAdapter(source, options)] as const
    })
    const settled = await Promise.allSettled(loading)
    const failure = settled.find((one) => one.status === 'rejected')
    const loaded = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (failure) {
      await Promise.all(loaded.map(([{ model }, adapter]) => model.unloadAdapter(adapter)))
      throw failure.reason
    }
    const [[, { kind, name, length }]] = loaded
    const adapter: AdapterHandle = { kind, name, length }
    this.#adapters.set(adapter, new Map(loaded))
    return adapter
  }

  async unloadAdapter(adapter: AdapterHandle): Promise<void> {
    const loaded = this.#adapters.get(adapter)
    const unloading = this.replicas.map(async (replica) => {
      const own = loaded?.get(replica)
      if (own) await replica.model.unloadAdapter(own)
    })
    await Promise.all(unloading)
  }

  /** An older name of `loadAdapter`. */
  loadPrefix(source: SourceLocation, options?: LoadAdapterOptions): Promise<AdapterHandle> {
    return this.loadAdapter(source, options)
  }

  /** An older name of `unloadAdapter`. */
  unloadPrefix(prefix: AdapterHandle): Promise<void> {
    return this.unloadAdapter(prefix)
  }

  dispose(): void {
    this.#disposed = true
    this.#places.close(disposed('model'))
    for (const { model } of this.#replicas) model.dispose()
  }

  #generate(prompt: Prompt, options: GenerateOptions): AsyncGenerator<GeneratedToken, Generation> {
    return this.#stream(
      options.signal,
      (replica) => replica.model.generate(prompt, this.#on(replica, options)),
      ({ id }) => id,
    )
  }

  async *#generateBatch(
    prompts: readonly Prompt[],
    options: GenerateOptions & { readonly seed: number },
  ): AsyncGenerator<BatchToken, Generation[]> {
    const { signal, seed } = options
    const left = new AbortController()
    const either = signal ? AbortSignal.any([signal, left.signal]) : left.signal
    const tokens = new Channel<BatchToken>()
    const run = async (prompt: Prompt, index: number) => {
      // As on one card: seeds of a batch differ, or equal prompts would get equal answers.
      const own = { ...options, seed: (seed + index) % 2 ** 32, signal: either }
      const stream = this.#generate(prompt, own)
      for (;;) {
        const next = await stream.next()
        if (next.done) return next.value
        tokens.push({ index, ...next.value })
      }
    }
    const all = Promise.all(prompts.map(run))
    all.then(
      () => tokens.end(),
      (error) => tokens.fail(error),
    )
    try {
      for await (const token of tokens) yield token
      return await all
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    } finally {
      left.abort()
    }
  }

  /** A call that gives pieces. @param keyOf by what a piece is known that comes again from another card */
  async *#stream<Piece, Result>(
    signal: AbortSignal | undefined,
    start: (replica: Replica<One>) => Stream<Piece, Result>,
    keyOf: (piece: Piece) => unknown,
  ): AsyncGenerator<Piece, Result> {
    const given: unknown[] = []
    for (;;) {
      const replica = await this.#places.take(signal)
      try {
        const stream = start(replica)
        let at = 0
        for await (const piece of stream) {
          const key = keyOf(piece)
          if (at >= given.length) {
            given.push(key)
            yield piece
          } else if (given[at] !== key) throw otherAnswer(replica.label)
          at++
        }
        const result = await stream.result()
        this.#stats = replica.model.stats
        return result
      } catch (error) {
        if (!this.#isGone(replica, error)) throw error
      } finally {
        this.#places.leave(replica)
      }
    }
  }

  /** A call that gives one value. */
  async #whole<T>(signal: AbortSignal | undefined, ask: (replica: Replica<One>) => Promise<T>): Promise<T> {
    for (;;) {
      const replica = await this.#places.take(signal)
      try {
        return await ask(replica)
      } catch (error) {
        if (!this.#isGone(replica, error)) throw error
      } finally {
        this.#places.leave(replica)
      }
    }
  }

  /** Whether a call failed because its card is gone: then it is for another one, or for none where that was the last. */
  #isGone(replica: Replica<One>, error: unknown): boolean {
    if (this.#disposed) return false
    if (hasCode(error, ...GONE)) this.#lose(replica, error as DeviceError)
    return !this.#places.items.includes(replica)
  }

  #lose(replica: Replica<One>, error: DeviceError): void {
    if (this.#disposed || !this.#places.items.includes(replica)) return
    this.#places.remove(replica, error)
    replica.model.dispose()
    if (this.#places.items.length === 0) this.#allLost(error)
    else this.#onLost?.(replica.label, error)
  }

  /** Options with a seed, so that another card can give the same answer. */
  #seeded<Options extends GenerateOptions>(options: Options): Options & { readonly seed: number } {
    return { ...options, seed: options.seed ?? Math.floor(Math.random() * 2 ** 32) }
  }

  /** Options for a card, with its own handle of the adapter. @throws `input.prefix-unloaded` */
  #on<Options extends AdapterOptions>(replica: Replica<One>, options: Options): Options {
    const { adapter = options.prefix } = options
    if (!adapter) return options
    const own = this.#adapters.get(adapter)?.get(replica)
    if (own) return { ...options, adapter: own, prefix: undefined }
    throw new InputError(
      'input.prefix-unloaded',
      'The adapter was loaded into another model. Load it into this one.',
    )
  }
}
