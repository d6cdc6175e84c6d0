import { proxy } from 'comlink'
import type { SourceLocation } from '../../checkpoint/index.js'
import type {
  DataLocation,
  DataSettings,
  DatasetHandle,
  PreviewPart,
  ReadDatasetOptions,
} from '../../data/index.js'
import { type DeviceError, disposed, hasCode, InputError, invalidOption, lookAt } from '../../errors/index.js'
import type { FinetuneResult, PlannedMemory } from '../../finetune/index.js'
import type { AdapterInfo } from '../../gpu/index.js'
import { deviceLost } from '../../gpu/index.js'
import type { VariantChoices } from '../../runtime/engine/index.js'
import {
  type AdapterOptions,
  type BatchToken,
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
} from '../../runtime/generate/index.js'
import type { AdapterHandle, ModelConfig } from '../../runtime/model/index.js'
import { signal as abortSignal, anObject, callback, checkArgument, z } from '../../schema/index.js'
import type { Message } from '../../tokenizer/index.js'
import type { ModelLine } from './model-line.js'
import { unpackError } from './portable-error.js'
import { unpackReply } from './portable-reply.js'
import type {
  ModelFacts,
  ModelState,
  Portable,
  PortableFinetuneOptions,
  RemoteAdapter,
  StreamRequest,
  WorkerFinetuneOptions,
} from './protocol.js'
import { packSink } from './sink-transport.js'
import { packSource } from './source-transport.js'

/** What stays in the page of the options of a call; the worker checks the others. */
const HERE = z.object(
  {
    signal: z.optional(abortSignal),
    onProgress: z.optional(callback),
    adapter: z.optional(anObject),
    prefix: z.optional(anObject),
  },
  { error: 'an object' },
)

/** A model that runs in a Web Worker: the page stays responsive, also while a model loads. */
export class WorkerModel implements Model {
  readonly config: ModelConfig
  readonly contextLength: number
  readonly adapter: AdapterInfo
  readonly variants: Partial<VariantChoices>
  readonly lost: Promise<DeviceError>
  readonly #line: ModelLine
  readonly #ownsWorker: boolean
  readonly #adapters = new WeakMap<AdapterHandle, number>()
  readonly #datasets = new WeakMap<DatasetHandle, number>()

  /** @internal Use `loadModelInWorker`. */
  constructor(
    line: ModelLine,
    { config, contextLength, adapter, variants }: ModelFacts,
    ownsWorker: boolean,
  ) {
    this.config = config
    this.contextLength = contextLength
    this.adapter = adapter
    this.variants = variants
    this.#line = line
    this.#ownsWorker = ownsWorker
    this.lost = new Promise((resolve) => {
      line.tell(async (host) => resolve(unpackError(await host.lost()) as DeviceError))
      line.ended.catch((reason: Error) => {
        if (!hasCode(reason, 'device.disposed')) resolve(deviceLost(reason.message))
      })
    })
  }

  get memory(): MemoryUse {
    return this.#state.memory
  }

  get load(): ModelLoad {
    return this.#state.load
  }

  get stats(): GenerationStats {
    return this.#state.stats
  }

  chat(messages: readonly Message[], options: ChatOptions = {}): Stream<ChatDelta, ChatReply> {
    checkArgument('options', HERE, options)
    return this.#stream(options.signal, () => ({ kind: 'chat', messages, options: this.#portable(options) }))
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): Stream<GeneratedToken, Generation> {
    checkArgument('options', HERE, options)
    return this.#stream(options.signal, () => ({
      kind: 'generate',
      prompt,
      options: this.#portable(options),
    }))
  }

  generateBatch(prompts: readonly Prompt[], options: GenerateOptions = {}): Stream<BatchToken, Generation[]> {
    checkArgument('options', HERE, options)
    return this.#stream(options.signal, () => ({ kind: 'batch', prompts, options: this.#portable(options) }))
  }

  async logits(ids: readonly number[], options: LogitsOptions = {}): Promise<Float32Array> {
    checkArgument('options', HERE, options)
    const portable = this.#portable(options)
    return this.#line.call(options.signal, (host, id) => host.logits(id, ids, portable))
  }

  async scores(prompt: Prompt, options: ScoresOptions = {}): Promise<TokenScores> {
    checkArgument('options', HERE, options)
    const portable = this.#portable(options)
    return this.#line.call(options.signal, (host, id) => host.scores(id, prompt, portable))
  }

  async loadAdapter(source: SourceLocation, options: LoadAdapterOptions = {}): Promise<AdapterHandle> {
    checkArgument('options', HERE, options)
    const { signal, ...rest } = options
    const packed = await packSource(source)
    return this.#handleOf(await this.#line.call(signal, (host, id) => host.loadAdapter(id, packed, rest)))
  }

  async unloadAdapter(adapter: AdapterHandle): Promise<void> {
    const id = this.#adapters.get(adapter)
    if (id !== undefined) await this.#line.value((host) => host.unloadAdapter(id))
  }

  /** An older name of `loadAdapter`. */
  loadPrefix(source: SourceLocation, options?: LoadAdapterOptions): Promise<AdapterHandle> {
    return this.loadAdapter(source, options)
  }

  /** An older name of `unloadAdapter`. */
  unloadPrefix(prefix: AdapterHandle): Promise<void> {
    return this.unloadAdapter(prefix)
  }

  /**
   * Reads and tokenizes training data in the worker, where they stay; see `readDataset` for what a file may be.
   * @throws `input.dataset` naming file and line, and what reading the file throws
   */
  async readDataset(
    location: DataLocation,
    settings: DataSettings,
    options: ReadDatasetOptions = {},
  ): Promise<DatasetHandle> {
    checkArgument('options', HERE, options)
    const { signal, onProgress, ...rest } = options
    const packed = await packSource(
      lookAt(
        () => invalidOption('data', location, 'a path, a URL, a file or a source'),
        () => (location instanceof File ? [location] : location),
      ),
    )
    const listener = onProgress && proxy(onProgress)
    const { id, ...dataset } = await this.#line.call(signal, (host, call) =>
      host.readDataset(call, packed, settings, rest, listener),
    )
    this.#datasets.set(dataset, id)
    return dataset
  }

  /** The text of a sample, in parts that are learnt from and parts that are not. @throws `input.dataset` */
  async previewSample(dataset: DatasetHandle, index: number): Promise<PreviewPart[]> {
    const id = this.#idOf(dataset)
    return this.#line.value((host) => host.previewSample(id, index))
  }

  /** Gives a dataset's memory back; nothing happens where that was done before. */
  async unloadDataset(dataset: DatasetHandle): Promise<void> {
    const id = this.#datasets.get(dataset)
    this.#datasets.delete(dataset)
    if (id !== undefined) await this.#line.value((host) => host.unloadDataset(id))
  }

  /**
   * The GPU memory that a training will take besides the model, by purpose.
   * @throws `option.invalid`, `input.dataset`
   */
  async planTrainingMemory(
    dataset: DatasetHandle,
    options: WorkerFinetuneOptions = {},
  ): Promise<readonly PlannedMemory[]> {
    checkArgument('options', HERE, options)
    const id = this.#idOf(dataset)
    const portable = this.#portableTraining(options)
    return this.#line.value((host) => host.planTraining(id, portable))
  }

  /**
   * Trains a P-Tuning v2 prefix in the worker, as `finetunePrefix` does; the prefix can be given to `chat` at once.
   * Meanwhile the model answers.
   *
   * ```ts
   * const { data, training } = PRESETS.ptuning
   * const dataset = await model.readDataset(file, data)
   * const { prefix } = await model.finetunePrefix(dataset, { ...training, output: store.output('ads') })
   * ```
   *
   * @throws what `finetunePrefix` throws, `busy.stored-item` where another tab is at work on the item
   */
  async finetunePrefix(dataset: DatasetHandle, options: WorkerFinetuneOptions = {}): Promise<FinetuneResult> {
    checkArgument('options', HERE, options)
    const { output, signal, onProgress } = options
    const id = this.#idOf(dataset)
    const portable = this.#portableTraining(options)
    const sink = output === undefined ? undefined : await packSink(output)
    const listener = onProgress && proxy(onProgress)
    const result = await this.#line.call(signal, (host, call) =>
      host.finetunePrefix(call, id, sink, portable, listener),
    )
    return { ...result, prefix: this.#handleOf(result.prefix) }
  }

  dispose(): void {
    this.#line.tell((host) => host.dispose())
    this.#line.end(disposed('model'))
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

  #handleOf({ id, kind, name, length }: RemoteAdapter): AdapterHandle {
    const adapter: AdapterHandle = { kind, name, length }
    this.#adapters.set(adapter, id)
    return adapter
  }

  #idOf(dataset: DatasetHandle): number {
    const id = this.#datasets.get(dataset)
    if (id !== undefined) return id
    throw new InputError(
      'input.dataset',
      "The dataset was not read by this model, or was unloaded. Call the model's readDataset.",
    )
  }

  #portableTraining(options: WorkerFinetuneOptions): PortableFinetuneOptions {
    const { output: _, signal: __, onProgress: ___, evaluation, ...rest } = options
    return evaluation ? { ...rest, evaluationId: this.#idOf(evaluation) } : rest
  }

  /** Options for a message: without the signal, and with the adapter by its number. */
  #portable<Options extends AdapterOptions & { signal?: AbortSignal }>(options: Options): Portable<Options> {
    const { signal: _, adapter, prefix, ...rest } = options
    const chosen = adapter ?? prefix
    if (!chosen) return rest
    const adapterId = this.#adapters.get(chosen)
    if (adapterId === undefined) {
      throw new InputError(
        'input.prefix-unloaded',
        'The adapter was loaded into another model. Load it into this one.',
      )
    }
    return { ...rest, adapterId }
  }
}
