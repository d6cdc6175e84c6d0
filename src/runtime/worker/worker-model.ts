import type { SourceLocation } from '../../checkpoint/index.js'
import { DeviceLostError } from '../../kernels/index.js'
import type { Message } from '../../tokenizer/index.js'
import type { ChatDelta, ChatOptions, ChatReply } from '../chat.js'
import type { AdapterInfo, ChatModel, MemoryUse, Prompt } from '../chat-model.js'
import type { ModelConfig } from '../config.js'
import { DisposedError, PrefixError } from '../errors.js'
import type {
  BatchToken,
  GeneratedToken,
  GenerateOptions,
  Generation,
  GenerationStats,
} from '../generation.js'
import type { LoadPrefixOptions, LogitsOptions } from '../model.js'
import type { PrefixHandle } from '../prefix.js'
import { Stream } from '../stream.js'
import type { ModelLine } from './model-line.js'
import { unpackError } from './portable-error.js'
import { unpackReply } from './portable-reply.js'
import type { ModelFacts, ModelState, Portable, StreamRequest } from './protocol.js'
import { packSource } from './source-transport.js'

/** A model that runs in a Web Worker: the page stays responsive, also while a model loads. */
export class WorkerModel implements ChatModel {
  readonly config: ModelConfig
  readonly contextLength: number
  readonly adapter: AdapterInfo
  readonly lost: Promise<DeviceLostError>
  readonly #line: ModelLine
  readonly #ownsWorker: boolean
  readonly #prefixes = new WeakMap<PrefixHandle, number>()

  /** @internal Use `loadModelInWorker`. */
  constructor(line: ModelLine, { config, contextLength, adapter }: ModelFacts, ownsWorker: boolean) {
    this.config = config
    this.contextLength = contextLength
    this.adapter = adapter
    this.#line = line
    this.#ownsWorker = ownsWorker
    this.lost = new Promise((resolve) => {
      line.tell(async (host) => resolve(unpackError(await host.lost()) as DeviceLostError))
      line.ended.catch((reason: Error) => {
        if (!(reason instanceof DisposedError)) resolve(new DeviceLostError(reason.message))
      })
    })
  }

  get memory(): MemoryUse {
    return this.#state.memory
  }

  get stats(): GenerationStats {
    return this.#state.stats
  }

  chat(messages: readonly Message[], options: ChatOptions = {}): Stream<ChatDelta, ChatReply> {
    return this.#stream(options.signal, () => ({ kind: 'chat', messages, options: this.#portable(options) }))
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): Stream<GeneratedToken, Generation> {
    return this.#stream(options.signal, () => ({
      kind: 'generate',
      prompt,
      options: this.#portable(options),
    }))
  }

  generateBatch(prompts: readonly Prompt[], options: GenerateOptions = {}): Stream<BatchToken, Generation[]> {
    return this.#stream(options.signal, () => ({ kind: 'batch', prompts, options: this.#portable(options) }))
  }

  async logits(ids: readonly number[], options: LogitsOptions = {}): Promise<Float32Array<ArrayBuffer>> {
    const portable = this.#portable(options)
    return this.#line.call(options.signal, (host, id) => host.logits(id, ids, portable))
  }

  async loadPrefix(source: SourceLocation, options: LoadPrefixOptions = {}): Promise<PrefixHandle> {
    const { signal, ...rest } = options
    const packed = await packSource(source)
    const remote = await this.#line.call(signal, (host, id) => host.loadPrefix(id, packed, rest))
    const prefix: PrefixHandle = { name: remote.name, length: remote.length }
    this.#prefixes.set(prefix, remote.id)
    return prefix
  }

  async unloadPrefix(prefix: PrefixHandle): Promise<void> {
    const id = this.#prefixes.get(prefix)
    if (id !== undefined) await this.#line.value((host) => host.unloadPrefix(id))
  }

  dispose(): void {
    this.#line.tell((host) => host.dispose())
    this.#line.end(new DisposedError('model'))
    if (this.#ownsWorker) this.#line.worker.terminate()
  }

  get #state(): ModelState {
    return this.#line.state!
  }

  #stream<Piece, Result>(
    signal: AbortSignal | undefined,
    request: () => StreamRequest,
  ): Stream<Piece, Result> {
    return new Stream(this.#pieces(signal, request))
  }

  async *#pieces<Piece, Result>(
    signal: AbortSignal | undefined,
    request: () => StreamRequest,
  ): AsyncGenerator<Piece, Result> {
    const line = this.#line
    const { id, end, reason } = line.abortable(signal)
    let under = false
    try {
      await line.value((host) => host.start(id, request()))
      under = true
      while (true) {
        const { pieces, result } = await line.value((host) => host.take(id))
        under = result === undefined
        yield* pieces as Piece[]
        if (result) return unpackReply(result.value) as Result
      }
    } catch (error) {
      throw reason(error)
    } finally {
      end()
      // The loop was left early: the worker's next call must not wait for the rest.
      if (under) await line.value((host) => host.leave(id))
    }
  }

  /** Options for a message: without the signal, and with the prefix by its number. */
  #portable<Options extends { prefix?: PrefixHandle; signal?: AbortSignal }>(
    options: Options,
  ): Portable<Options> {
    const { signal: _, prefix, ...rest } = options
    if (!prefix) return rest
    const prefixId = this.#prefixes.get(prefix)
    if (prefixId === undefined) {
      throw new PrefixError('The prefix was loaded into another model. Load it into this one.')
    }
    return { ...rest, prefixId }
  }
}
