import { encodeDispatches, type Gpu, type SampledId } from '../kernels/index.js'
import { KeyValueCache } from './cache.js'
import type { ModelConfig } from './config.js'
import {
  type Activations,
  allocateActivations,
  buildBody,
  buildHead,
  type ForwardContext,
} from './forward.js'
import { FusedDecode, supportsFusedDecode } from './fused-decode.js'
import type { Prefix } from './prefix.js'
import { Sampler } from './sampler.js'
import type { ResolvedSampling } from './sampling-options.js'
import { type StepPlan, TokenLoop } from './token-loop.js'
import type { ModelWeights } from './weights.js'

export interface EngineOptions {
  /** Positions that prompt and answer together may take. */
  readonly contextLength: number
  /** Sequences that can be generated side by side. */
  readonly batchSize: number
  /** Whether a single sequence is decoded with activations in 8 bits where its weights have 4. */
  readonly activations: 'int8' | 'float'
}

/** A prompt, in the engine's eyes. */
export interface EnginePrompt {
  readonly ids: readonly number[]
  readonly seed: number
  readonly positionLimit: number
}

export interface PrefillOptions {
  readonly prefix: Prefix | undefined
  /** 0 < strength <= 1: the weight of the prefix in every softmax. */
  readonly prefixStrength: number
  readonly signal?: AbortSignal
}

/** Cache rows kept for a prefix besides the context: the official prefix has 128. */
const PREFIX_ROWS = 128
/** Rows whose logits `logits()` computes at a time; a row of ChatGLM3's is 260 kB. */
const LOGITS_ROWS = 16

/**
 * A model on a device, ready to run: weights, cache, and the plans of prefill and decode, each a list of dispatches
 * built once.
 */
export class Engine {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly cache: KeyValueCache
  readonly contextLength: number
  readonly sampler: Sampler

  readonly #context: ForwardContext
  readonly #prefillBuffers: Activations
  readonly #decodeBuffers: Activations
  readonly #loop: TokenLoop
  readonly #fused: FusedDecode | undefined
  #prefillPlan: Promise<StepPlan['body']> | undefined
  readonly #stepPlans = new Map<string, Promise<StepPlan>>()

  private constructor(gpu: Gpu, config: ModelConfig, weights: ModelWeights, options: EngineOptions) {
    this.gpu = gpu
    this.config = config
    this.contextLength = options.contextLength
    this.cache = new KeyValueCache(gpu, config, options.batchSize, options.contextLength + PREFIX_ROWS)
    this.sampler = new Sampler(gpu, config.vocabulary, options.batchSize)
    this.#loop = new TokenLoop(gpu, this.sampler)
    const attentionParameters = gpu.allocate('activations', 'attention parameters', 4)
    this.#context = { gpu, config, weights, cache: this.cache, attentionParameters }
    // A chunk large enough to reuse each weight it loads many times; software adapters gain nothing from more.
    const chunk = Math.min(options.contextLength, gpu.software ? 32 : 512)
    this.#prefillBuffers = allocateActivations(gpu, config, 'prefill', chunk)
    const decodeBuffers = allocateActivations(gpu, config, 'decode', options.batchSize)
    this.#decodeBuffers = { ...decodeBuffers, rows: this.sampler.rows }
    if (options.activations === 'int8' && supportsFusedDecode(gpu, config, weights)) {
      this.#fused = new FusedDecode(this.#context, this.#decodeBuffers)
    }
  }

  /**
   * Allocates the cache and the buffers, and compiles the kernels that a single conversation needs.
   * @throws OutOfMemoryError, AdapterLimitError, ShaderCompilationError
   */
  static async create(
    gpu: Gpu,
    config: ModelConfig,
    weights: ModelWeights,
    options: EngineOptions,
  ): Promise<Engine> {
    const engine = await gpu.allocating(
      'cache and activations',
      () => new Engine(gpu, config, weights, options),
    )
    await Promise.all([engine.prefillPlan(), engine.stepPlan(1)])
    return engine
  }

  get weights(): ModelWeights {
    return this.#context.weights
  }

  /** Rows of a whole prefill chunk. */
  get prefillRows(): number {
    return this.#prefillBuffers.maxRows
  }

  /** Positions that prompt and answer together may take behind a prefix. */
  available(prefix: Prefix | undefined): number {
    return Math.min(this.contextLength, this.cache.capacity - (prefix?.length ?? 0))
  }

  /**
   * Computes prompts, one to a slot, except for what the cache holds already, and leaves the residual stream of each
   * one's last token for the first step.
   * @returns how many leading tokens of each prompt were in the cache
   */
  async prefill(prompts: readonly EnginePrompt[], options: PrefillOptions): Promise<number[]> {
    const { prefix, prefixStrength, signal } = options
    const strength = new Float32Array([Math.log(prefixStrength)])
    this.gpu.device.queue.writeBuffer(this.#context.attentionParameters, 0, strength)
    const reused: number[] = []
    for (const [slot, { ids }] of prompts.entries()) {
      const start = this.cache.prepare(slot, prefix, prefixStrength, ids)
      reused.push(start)
      let lastChunk = 0
      for await (const rows of this.#chunks(slot, ids, start, prefix, signal)) lastChunk = rows
      this.#copyHiddenRow(this.#prefillBuffers.hidden, lastChunk - 1, this.#decodeBuffers.hidden, slot)
    }
    return reused
  }

  /**
   * Generates behind prefilled prompts.
   * @param batched whether they are part of a batch: all of it is computed alike, also a last group of one
   * @yields what each row got in a step
   */
  async *decode(
    prompts: readonly EnginePrompt[],
    prefix: Prefix | undefined,
    sampling: ResolvedSampling,
    stopIds: readonly number[],
    steps: number,
    batched = false,
  ): AsyncGenerator<readonly SampledId[]> {
    const plan = await this.stepPlan(prompts.length, batched)
    const prefixLength = prefix?.length ?? 0
    const rows = prompts.map(({ ids, ...rest }, slot) => ({ ...rest, promptIds: ids, slot, prefixLength }))
    this.sampler.start(rows, sampling, stopIds)
    yield* this.#loop.run(plan, steps)
  }

  /**
   * The logits at every position of a sequence.
   * @returns f32 [ids.length, vocabulary]
   */
  async logits(ids: readonly number[], options: PrefillOptions): Promise<Float32Array<ArrayBuffer>> {
    const { vocabulary, hidden } = this.config
    const { prefix, prefixStrength, signal } = options
    const { gpu } = this
    const result = new Float32Array(ids.length * vocabulary)
    const floats = (label: string, width: number) =>
      gpu.allocate('activations', label, LOGITS_ROWS * width * 4)
    const buffers = await gpu.allocating('logits', () => ({
      hidden: floats('logits hidden', hidden),
      normed: floats('logits normed', hidden),
      logits: floats('logits of a block', vocabulary),
    }))
    try {
      const head = await buildHead(this.#context, LOGITS_ROWS, buffers.hidden, buffers.normed, buffers.logits)
      gpu.device.queue.writeBuffer(
        this.#context.attentionParameters,
        0,
        new Float32Array([Math.log(prefixStrength)]),
      )
      // Every position is wanted, so nothing of it may be taken from the cache.
      this.cache.prepare(0, prefix, prefixStrength, [])
      let done = 0
      for await (const rows of this.#chunks(0, ids, 0, prefix, signal)) {
        for (let row = 0; row < rows; row += LOGITS_ROWS) {
          const count = Math.min(LOGITS_ROWS, rows - row)
          for (let i = 0; i < count; i++) {
            this.#copyHiddenRow(this.#prefillBuffers.hidden, row + i, buffers.hidden, i)
          }
          this.#run(head, count)
          const block = await gpu.read(buffers.logits, 0, count * vocabulary * 4)
          result.set(new Float32Array(block), done * vocabulary)
          done += count
        }
      }
      return result
    } finally {
      for (const buffer of Object.values(buffers)) gpu.free(buffer)
    }
  }

  /** Computes `ids` from position `start` on into a slot, chunk by chunk, and yields the rows of each chunk. */
  async *#chunks(
    slot: number,
    ids: readonly number[],
    start: number,
    prefix: Prefix | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<number> {
    const body = await this.prefillPlan()
    const { maxRows, rows: rowsBuffer } = this.#prefillBuffers
    for (let first = start; first < ids.length; first += maxRows) {
      signal?.throwIfAborted()
      const chunk = ids.slice(first, first + maxRows)
      const rows = chunk.flatMap((id, i) => [id, slot, first + i, prefix?.length ?? 0])
      this.gpu.device.queue.writeBuffer(rowsBuffer, 0, new Uint32Array(rows))
      this.#run(body, chunk.length)
      this.cache.append(slot, chunk)
      yield chunk.length
      // An abort must not have to wait for chunks that were only queued.
      if (first + maxRows < ids.length) await this.gpu.finish()
    }
  }

  #run(dispatches: StepPlan['body'], rows: number): void {
    this.gpu.check()
    const encoder = this.gpu.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    encodeDispatches(pass, dispatches, rows)
    pass.end()
    this.gpu.device.queue.submit([encoder.finish()])
  }

  #copyHiddenRow(source: GPUBuffer, sourceRow: number, target: GPUBuffer, targetRow: number): void {
    const bytes = this.config.hidden * 4
    const encoder = this.gpu.device.createCommandEncoder()
    encoder.copyBufferToBuffer(source, sourceRow * bytes, target, targetRow * bytes, bytes)
    this.gpu.device.queue.submit([encoder.finish()])
  }

  /** The dispatches of a chunk of a prompt. */
  prefillPlan(): Promise<StepPlan['body']> {
    this.#prefillPlan ??= buildBody(this.#context, this.#prefillBuffers, true)
    return this.#prefillPlan
  }

  /** The dispatches of a decode step over `rows` sequences: fused where it is a single one, outside a batch. */
  stepPlan(rows: number, batched = rows > 1): Promise<StepPlan> {
    const key = batched ? `batch of ${rows}` : 'single'
    let plan = this.#stepPlans.get(key)
    if (!plan) {
      plan = this.#buildStepPlan(rows, batched)
      this.#stepPlans.set(key, plan)
    }
    return plan
  }

  async #buildStepPlan(rows: number, batched: boolean): Promise<StepPlan> {
    const buffers = { ...this.#decodeBuffers, maxRows: rows }
    if (this.#fused && !batched) {
      const [body, head, sample] = await Promise.all([
        this.#fused.body(),
        this.#fused.head(this.sampler.logits),
        this.sampler.build(),
      ])
      return { rows, body, head: [...head, ...sample] }
    }
    const [body, head, sample] = await Promise.all([
      buildBody(this.#context, buffers, false),
      buildHead(this.#context, rows, buffers.hidden, buffers.normed, this.sampler.logits),
      this.sampler.build(),
    ])
    return { rows, body, head: [...head, ...sample] }
  }
}
