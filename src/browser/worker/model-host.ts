import { type ProxyMarked, type ProxyMethods, releaseProxy, transfer } from 'comlink'
import type { Progress, SinkLocation } from '../../checkpoint/index.js'
import {
  type DataSettings,
  type PreviewPart,
  previewSample,
  readDataset,
  type TrainingDataset,
} from '../../data/index.js'
import { disposed, InputError, invalidOption } from '../../errors/index.js'
import {
  finetunePrefix,
  type PlannedMemory,
  planTrainingMemory,
  type TrainingEvent,
} from '../../finetune/index.js'
import {
  type LoadModelOptions,
  type LocalModel,
  loadModel,
  type Prompt,
  type Stream,
  type TokenScores,
} from '../../runtime/generate/index.js'
import type { AdapterHandle } from '../../runtime/model/index.js'
import { StoredOutput } from '../store/stored-output.js'
import { Numbered } from './numbered.js'
import { wrapped } from './outcome.js'
import { type PortableError, packError } from './portable-error.js'
import { packReply } from './portable-reply.js'
import type {
  Answer,
  ModelFacts,
  ModelState,
  PortableAdapterOptions,
  PortableDatasetOptions,
  PortableFinetuneOptions,
  PortableLoadOptions,
  PortableLogitsOptions,
  PortableScoresOptions,
  RemoteAdapter,
  RemoteDataset,
  RemoteFinetuneResult,
  StreamPart,
  StreamRequest,
} from './protocol.js'
import { ReadAhead } from './read-ahead.js'
import { type PortableSink, unpackSink } from './sink-transport.js'
import { type PortableSource, unpackSource } from './source-transport.js'
import type { CallId } from './worker-line.js'

/** Tokens that may wait for the page: enough to hide a message's way, few enough that leaving a loop ends the work. */
const TOKENS_AHEAD = 4

/** A function of the page, called by messages; `releaseProxy` gives its port back. */
type Callback<T> = (((value: T) => void | Promise<void>) & ProxyMarked & Partial<ProxyMethods>) | undefined

/** A call under way. */
interface Call {
  readonly abort: AbortController
  stream?: ReadAhead<unknown, unknown>
}

/** The worker's side: holds the model and answers the page. It runs one model at a time. */
export class ModelHost {
  #model: LocalModel | undefined
  readonly #calls = new Map<CallId, Call>()
  readonly #adapters = new Numbered<AdapterHandle>()
  readonly #datasets = new Numbered<TrainingDataset>()

  async load(
    id: CallId,
    source: PortableSource,
    options: Omit<PortableLoadOptions, 'device'> & Pick<LoadModelOptions, 'device'>,
    onProgress: Callback<Progress>,
  ): Promise<Answer<ModelFacts>> {
    return this.call(id, async (signal) => {
      if (this.#model) {
        throw invalidOption(
          'worker',
          'one with a model in it',
          'a worker whose model was disposed of, or a new one',
        )
      }
      const model = await loadModel(unpackSource(source), { ...options, signal, ...listener(onProgress) })
      this.#model = model
      const { config, contextLength, adapter, variants } = model
      const { vendor, architecture, device, description } = adapter
      return { config, contextLength, variants, adapter: { vendor, architecture, device, description } }
    }).finally(() => onProgress?.[releaseProxy]?.())
  }

  /** Fulfilled with the error when the GPU is taken away. */
  async lost(): Promise<PortableError> {
    return packError(await this.loaded.lost)
  }

  /** Begins a stream; `take` gives its pieces. */
  async start(id: CallId, request: StreamRequest): Promise<Answer<void>> {
    return this.answer(() => {
      const abort = new AbortController()
      const stream = this.#stream(request, abort.signal)
      this.#calls.set(id, { abort, stream: new ReadAhead(stream[Symbol.asyncIterator](), TOKENS_AHEAD) })
    })
  }

  async take(id: CallId): Promise<Answer<StreamPart>> {
    const answer = await this.answer(async () => {
      const part = await this.#calls.get(id)!.stream!.take()
      return part.result ? { ...part, result: { value: packReply(part.result.value) } } : part
    })
    if ('failure' in answer || answer.value.result) this.#calls.delete(id)
    return answer
  }

  /** Ends a stream early. */
  async leave(id: CallId): Promise<Answer<void>> {
    return this.answer(async () => {
      const call = this.#calls.get(id)
      this.#calls.delete(id)
      await call?.stream?.leave()
    })
  }

  async logits(
    id: CallId,
    ids: readonly number[],
    options: PortableLogitsOptions,
  ): Promise<Answer<Float32Array>> {
    const answer = await this.call(id, (signal) => this.loaded.logits(ids, this.#options(options, signal)))
    return 'value' in answer ? transfer(answer, [answer.value.buffer]) : answer
  }

  async scores(id: CallId, prompt: Prompt, options: PortableScoresOptions): Promise<Answer<TokenScores>> {
    return this.call(id, (signal) => this.loaded.scores(prompt, this.#options(options, signal)))
  }

  async loadAdapter(
    id: CallId,
    source: PortableSource,
    options: PortableAdapterOptions,
  ): Promise<Answer<RemoteAdapter>> {
    return this.call(id, async (signal) => {
      const adapter = await this.loaded.loadAdapter(unpackSource(source), { ...options, signal })
      return this.#keep(adapter)
    })
  }

  async unloadAdapter(id: number): Promise<Answer<void>> {
    return this.answer(async () => {
      const adapter = this.#adapters.take(id)
      if (adapter) await this.loaded.unloadAdapter(adapter)
    })
  }

  async readDataset(
    id: CallId,
    source: PortableSource,
    settings: DataSettings,
    options: PortableDatasetOptions,
    onProgress: Callback<Progress>,
  ): Promise<Answer<RemoteDataset>> {
    return this.call(id, async (signal) => {
      const { tokenizer } = this.loaded
      // A chosen file is called by its name only where it comes alone.
      const location = source.kind === 'files' ? source.files[0] : unpackSource(source)
      const listening = { ...options, signal, ...listener(onProgress) }
      const dataset = await readDataset(location, tokenizer, settings, listening)
      const { name, length, truncated, empty, tokens, longest, fingerprint } = dataset
      const facts = { name, settings, length, truncated, empty, tokens, longest, fingerprint }
      return { id: this.#datasets.add(dataset), ...facts }
    }).finally(() => onProgress?.[releaseProxy]?.())
  }

  async previewSample(dataset: number, index: number): Promise<Answer<PreviewPart[]>> {
    return this.answer(() => previewSample(this.loaded.tokenizer, this.#dataset(dataset).sample(index)))
  }

  async planTraining(
    dataset: number,
    options: PortableFinetuneOptions,
  ): Promise<Answer<readonly PlannedMemory[]>> {
    return this.answer(() => planTrainingMemory(this.loaded, this.#dataset(dataset), this.#training(options)))
  }

  async unloadDataset(id: number): Promise<Answer<void>> {
    return this.answer(() => void this.#datasets.take(id))
  }

  async finetunePrefix(
    id: CallId,
    dataset: number,
    sink: PortableSink | undefined,
    options: PortableFinetuneOptions,
    onProgress: Callback<TrainingEvent>,
  ): Promise<Answer<RemoteFinetuneResult>> {
    return this.call(id, async (signal) => {
      let told: unknown
      const train = (output?: SinkLocation) =>
        finetunePrefix(this.loaded, this.#dataset(dataset), {
          ...this.#training(options),
          signal,
          ...(output && { output }),
          ...(onProgress && {
            onProgress: (event) => {
              told = onProgress(event)
            },
          }),
        })
      const output = sink && unpackSink(sink)
      try {
        const result = await (output instanceof StoredOutput ? output.run(train) : train(output))
        return { ...result, prefix: this.#keep(result.prefix) }
      } finally {
        // Events and answers go different ways: the page hears of every step before it hears of the end.
        await told
      }
    }).finally(() => onProgress?.[releaseProxy]?.())
  }

  abort(id: CallId): void {
    this.#calls.get(id)?.abort.abort()
  }

  dispose(): void {
    this.#model?.dispose()
    this.#model = undefined
    this.#adapters.clear()
    this.#datasets.clear()
  }

  /** @throws `device.disposed` where there is no model */
  protected get loaded(): LocalModel {
    if (!this.#model) throw disposed('model')
    return this.#model
  }

  #keep(adapter: AdapterHandle): RemoteAdapter {
    const { kind, name, length } = adapter
    return { id: this.#adapters.add(adapter), kind, name, length }
  }

  #dataset(id: number): TrainingDataset {
    const dataset = this.#datasets.get(id)
    if (!dataset) throw new InputError('input.dataset', 'The dataset was unloaded. Read it again.')
    return dataset
  }

  #training({ evaluationId, ...options }: PortableFinetuneOptions) {
    return evaluationId === undefined ? options : { ...options, evaluation: this.#dataset(evaluationId) }
  }

  #state(): ModelState | undefined {
    if (!this.#model) return undefined
    const { memory, load, stats } = this.#model
    return { memory, load, stats }
  }

  /** Runs work and gives its outcome, with what the model tells of itself afterwards. */
  protected async answer<T>(work: () => T | Promise<T>): Promise<Answer<T>> {
    const outcome = await wrapped(work)
    return { ...outcome, state: this.#state() }
  }

  /** The same for work that can be aborted. */
  protected async call<T>(id: CallId, work: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> {
    const abort = new AbortController()
    this.#calls.set(id, { abort })
    try {
      return await this.answer(() => work(abort.signal))
    } finally {
      this.#calls.delete(id)
    }
  }

  #stream(request: StreamRequest, signal: AbortSignal): Stream<unknown, unknown> {
    const model = this.loaded
    const options = this.#options(request.options, signal)
    if (request.kind === 'chat') return model.chat(request.messages, options)
    if (request.kind === 'generate') return model.generate(request.prompt, options)
    return model.generateBatch(request.prompts, options)
  }

  #options<Options extends { readonly adapterId?: number }>(
    { adapterId, ...options }: Options,
    signal: AbortSignal,
  ) {
    // A number that is not known any more must fail as an unloaded adapter does, not go without one.
    const adapter = adapterId === undefined ? undefined : (this.#adapters.get(adapterId) ?? UNLOADED)
    return { ...options, signal, ...(adapter && { adapter }) }
  }
}

const UNLOADED: AdapterHandle = { kind: 'prefix', name: 'unloaded', length: 0 }

function listener(onProgress: Callback<Progress>): { onProgress?: (progress: Progress) => void } {
  return onProgress ? { onProgress: (progress) => onProgress(progress) } : {}
}
