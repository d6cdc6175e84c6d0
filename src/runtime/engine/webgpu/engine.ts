import { type Dispatch, encodeDispatches, type Gpu, ShaderCompilationError } from '../../../gpu/index.js'
import type { QuantizedActivations, SampledId } from '../../../kernels/index.js'
import type { ModelConfig, ModelWeights, Prefix } from '../../model/index.js'
import { KeyValueCache } from '../cache.js'
import type { ResolvedSampling } from '../sampling-options.js'
import { candidates } from '../variants/candidates.js'
import { type ChoicePlan, chooseVariants, planChoices } from '../variants/choose-variants.js'
import { readTuning, type TuningTimes, tuningKey, writeTuning } from '../variants/tuning-record.js'
import type { TuningStore } from '../variants/tuning-store.js'
import type { VariantChoices, VariantOf, Variants } from '../variants/variants.js'
import { type Activations, allocateActivations, type ForwardContext } from './forward.js'
import { FusedDecode } from './fused-decode.js'
import { allocateQuantized } from './linear.js'
import { Plans } from './plans.js'
import { Sampler } from './sampler.js'
import { type StepPlan, TokenLoop } from './token-loop.js'

export interface EngineOptions {
  /** Positions that prompt and answer together may take. */
  readonly contextLength: number
  /** Sequences that can be generated side by side. */
  readonly batchSize: number
  /** Whether activations may be rounded to 8 bits on their way into a product: for prompts and single sequences. */
  readonly activations: 'int8' | 'float'
  /** Variants to use instead of the fastest. */
  readonly variants?: Partial<Variants>
  /** Where times measured before are read from and new ones kept. */
  readonly tuningStore?: TuningStore
  /** Whether to measure on a software adapter, too, where it takes long and tells little: for tests. */
  readonly measureSoftware?: boolean
  /** When the weights are there: nothing is measured before. Default: they are. */
  readonly weightsReady?: Promise<unknown>
  /** Called before variants are measured. */
  readonly onMeasure?: () => void
  /** Told of each variant that did not compile. */
  readonly onRefused?: (message: string) => void
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
export const PREFIX_ROWS = 128
/** Rows of a chunk of a prompt on a GPU. */
export const MOST_CHUNK_ROWS = 512
/** Rows of a chunk of a prompt: enough to reuse each weight it loads many times; software adapters gain nothing from more. */
export function chunkRows(gpu: Gpu, contextLength: number): number {
  return Math.min(contextLength, gpu.software ? 32 : MOST_CHUNK_ROWS)
}

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
  readonly #plans: Plans
  /** Freed where the variant that was chosen does without. */
  readonly #quantized: QuantizedActivations | undefined
  #variants: VariantChoices | undefined
  #prefillPlan: Promise<Dispatch[]> | undefined
  readonly #stepPlans = new Map<string, Promise<StepPlan>>()

  private constructor(
    gpu: Gpu,
    config: ModelConfig,
    weights: ModelWeights,
    { contextLength, batchSize }: EngineOptions,
    choices: readonly ChoicePlan[],
  ) {
    this.gpu = gpu
    this.config = config
    this.contextLength = contextLength
    this.cache = new KeyValueCache(gpu, config, batchSize, contextLength + PREFIX_ROWS)
    this.sampler = new Sampler(gpu, config.vocabulary, batchSize)
    this.#loop = new TokenLoop(gpu, this.sampler)
    const attentionParameters = gpu.allocate('activations', 'attention parameters', 4)
    const context = { gpu, config, weights, cache: this.cache, attentionParameters }
    this.#context = context
    const rows = chunkRows(gpu, contextLength)
    const prefill = allocateActivations(gpu, config, 'prefill', rows)
    const decode = { ...allocateActivations(gpu, config, 'decode', batchSize), rows: this.sampler.rows }
    this.#prefillBuffers = prefill
    this.#decodeBuffers = decode
    const mayBe = (variant: VariantOf) => choices.some(({ order }) => order.includes(variant))
    const quantized = mayBe('int8') ? allocateQuantized(gpu, weights, Math.max(rows, LOGITS_ROWS)) : undefined
    this.#quantized = quantized
    const fused = mayBe('fused-int8') ? new FusedDecode(context, decode) : undefined
    this.#plans = new Plans({ context, prefill, decode, sampler: this.sampler, fused, quantized })
  }

  /**
   * Allocates the cache and the buffers, chooses variants, and compiles the kernels that a single conversation needs.
   * @throws InvalidOptionError for a variant that is not possible here; OutOfMemoryError, AdapterLimitError,
   *   ShaderCompilationError
   */
  static async create(
    gpu: Gpu,
    config: ModelConfig,
    weights: ModelWeights,
    options: EngineOptions,
  ): Promise<Engine> {
    const { activations, contextLength, tuningStore, variants: forced = {} } = options
    const key = tuningKey(gpu, config, weights, chunkRows(gpu, contextLength))
    const known = tuningStore ? await readTuning(tuningStore, key) : {}
    const measure = !gpu.software || options.measureSoftware === true
    const choices = planChoices(candidates(gpu, config, weights, activations), { forced, known, measure })
    const engine = await gpu.allocating(
      'cache and activations',
      () => new Engine(gpu, config, weights, options, choices),
    )
    const measured = await engine.#prepare(choices, options)
    if (tuningStore && Object.keys(measured).length > 0) {
      await writeTuning(tuningStore, key, { ...known, ...measured })
    }
    return engine
  }

  /** Chooses variants and compiles the plans of a single conversation. @returns what was measured */
  async #prepare(choices: readonly ChoicePlan[], options: EngineOptions): Promise<TuningTimes> {
    // Most kernels do not depend on the choice, and compile meanwhile with what is likely to be chosen.
    const likely = Object.fromEntries(choices.map(({ name, order }) => [name, order[0]])) as Variants
    const meanwhile = Promise.all([this.#plans.prefill(likely), this.#plans.step(likely, 1, false)]).catch(
      (error) => {
        if (!(error instanceof ShaderCompilationError)) throw error
      },
    )
    const beforeMeasuring = async () => {
      const [likelyPlans] = await Promise.all([meanwhile, options.weightsReady])
      options.onMeasure?.()
      this.#plans.placeTrials(this.contextLength)
      // Trials compute with numbers and at clocks as they are in use.
      if (likelyPlans) this.#run(likelyPlans[0], this.prefillRows)
    }
    const choosing = chooseVariants(this.gpu, choices, {
      build: (name, variant) => this.#plans.trial(name, variant),
      beforeMeasuring,
      onRefused: (message) => options.onRefused?.(message),
    })
    const [{ variants, measured }] = await Promise.all([choosing, meanwhile])
    this.#variants = variants
    if (variants.prefillProduct.variant !== 'int8' && this.#quantized) {
      this.gpu.free(this.#quantized.words)
      this.gpu.free(this.#quantized.ranges)
    }
    await Promise.all([this.prefillPlan(), this.stepPlan(1)])
    return measured
  }

  /** Which kernels are used where there are several, and why. */
  get variants(): VariantChoices {
    if (!this.#variants) throw new TypeError('The variants are not chosen yet.')
    return this.#variants
  }

  get #chosen(): Variants {
    const { prefillProduct, prefillAttention, decode, decodeAttention } = this.variants
    return {
      prefillProduct: prefillProduct.variant,
      prefillAttention: prefillAttention.variant,
      decode: decode.variant,
      decodeAttention: decodeAttention.variant,
    }
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
      const head = await this.#plans.promptHead(this.#chosen, LOGITS_ROWS, buffers)
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
  prefillPlan(): Promise<Dispatch[]> {
    this.#prefillPlan ??= this.#plans.prefill(this.#chosen)
    return this.#prefillPlan
  }

  /** The dispatches of a decode step over `rows` sequences: fused where it is a single one, outside a batch. */
  stepPlan(rows: number, batched = rows > 1): Promise<StepPlan> {
    const key = batched ? `batch of ${rows}` : 'single'
    let plan = this.#stepPlans.get(key)
    if (!plan) {
      plan = this.#plans.step(this.#chosen, rows, batched)
      this.#stepPlans.set(key, plan)
    }
    return plan
  }
}
