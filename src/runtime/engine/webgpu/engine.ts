import { hasCode } from '../../../errors/index.js'
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { PAGE_ROWS, type QuantizedActivations } from '../../../kernels/index.js'
import type { ModelConfig, ModelWeights, Prefix } from '../../model/index.js'
import { PageCache } from '../cache/page-cache.js'
import type {
  ChunkOutput,
  Engine,
  SequenceStart,
  Slot,
  Step,
  StepOutput,
  SuspendedSequence,
} from '../engine.js'
import { candidates } from '../variants/candidates.js'
import { type ChoicePlan, chooseVariants, planChoices } from '../variants/choose-variants.js'
import { readTuning, type TuningTimes, tuningKey, writeTuning } from '../variants/tuning-record.js'
import type { VariantChoices, VariantOf, Variants } from '../variants/variants.js'
import { CacheMemory, pageBytes } from './cache-memory.js'
import {
  cachePages,
  checkSizes,
  chunkRows,
  type EngineOptions,
  PREFIX_ROWS,
  rowBucket,
} from './engine-options.js'
import { type Activations, allocateActivations, type ForwardContext } from './forward.js'
import { FusedDecode } from './fused-decode.js'
import { allocateQuantized } from './linear.js'
import { Plans, type StepPlan } from './plans.js'
import { Prepared } from './prepared.js'
import { SlotState } from './slot.js'
import { SlotTables } from './slot-tables.js'
import { LOGITS_ROWS, type LogitsBuffers, STEPS_UNDER_WAY, StepRunner } from './step-runner.js'

/** A sequence without a place: what was in its pages, and what it has generated. */
interface Suspended extends SuspendedSequence {
  readonly start: SequenceStart
  readonly generated: number[]
  /** Ids in the pages. */
  readonly ids: readonly number[]
  readonly pages: ArrayBuffer
}

/** What the logits at all positions of a chunk are computed with. */
interface LogitsHead {
  readonly buffers: LogitsBuffers
  readonly dispatches: readonly Dispatch[]
}

/** What a step needs and `prepare` has built. @throws TypeError where it was not called */
function ready<T>({ value }: Prepared<T>): T {
  if (value === undefined) throw new TypeError('The step was not prepared.')
  return value
}

/**
 * A model on a device, ready to run: weights, the cache in pages, and the plans of prompts and rows, each a list of
 * dispatches built once.
 */
export class WebGpuEngine implements Engine {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly contextLength: number
  readonly maxSequences: number
  readonly chunkTokens: number
  readonly stepsUnderWay = STEPS_UNDER_WAY
  readonly tables: SlotTables

  readonly #context: ForwardContext
  readonly #prefillBuffers: Activations
  readonly #cache: PageCache<Prefix>
  readonly #memory: CacheMemory
  readonly #slots: (SlotState | undefined)[]
  readonly #runner: StepRunner
  readonly #plans: Plans
  /** Freed where the variant that was chosen does without. */
  readonly #quantized: QuantizedActivations | undefined
  #variants: VariantChoices | undefined
  readonly #prefill = new Prepared(() => this.#plans.prefill(this.#chosen))
  /** By the rows that they are built for. */
  readonly #steps = new Map<number, Prepared<StepPlan>>()
  readonly #logitsHead = new Prepared(() => this.#buildLogitsHead())

  private constructor(
    gpu: Gpu,
    config: ModelConfig,
    weights: ModelWeights,
    options: EngineOptions,
    choices: readonly ChoicePlan[],
  ) {
    const { contextLength, maxSequences, pages } = checkSizes(options)
    this.gpu = gpu
    this.config = config
    this.contextLength = contextLength
    this.maxSequences = maxSequences
    this.chunkTokens = chunkRows(gpu, contextLength, options.chunkTokens)
    const slotPages = cachePages(contextLength)
    this.#memory = new CacheMemory(gpu, config, { pages, slots: maxSequences, slotPages })
    this.#cache = new PageCache(pages, this.#memory)
    this.#slots = new Array<SlotState | undefined>(maxSequences).fill(undefined)
    const maxRows = rowBucket(gpu, maxSequences, maxSequences)
    this.tables = new SlotTables(gpu, { vocabulary: config.vocabulary, slots: maxSequences, maxRows })
    this.#context = { gpu, config, weights, cache: this.#memory }
    // Rows and chunks are computed one after the other, in the same buffers but for what passes from step to step.
    const prefill = allocateActivations(gpu, config, 'prefill', Math.max(this.chunkTokens, maxRows))
    const hidden = gpu.allocate('activations', 'decode hidden', maxRows * config.hidden * 4)
    const decode = { ...prefill, maxRows, hidden, rows: this.tables.rows }
    this.#prefillBuffers = { ...prefill, maxRows: this.chunkTokens }
    const mayBe = (variant: VariantOf) => choices.some(({ order }) => order.includes(variant))
    const rounded = Math.max(this.chunkTokens, LOGITS_ROWS)
    const quantized = mayBe('int8') ? allocateQuantized(gpu, weights, rounded) : undefined
    this.#quantized = quantized
    const fused = mayBe('fused-int8') ? new FusedDecode(this.#context, decode) : undefined
    const buffers = { prefill: this.#prefillBuffers, decode, tables: this.tables }
    this.#runner = new StepRunner(gpu, config, buffers, maxSequences)
    this.#plans = new Plans({ ...buffers, context: this.#context, fused, quantized })
  }

  /**
   * Allocates the cache and the buffers, chooses variants, and compiles the kernels that a single conversation needs.
   * @throws `option.invalid` for a variant that is not possible here; `device.out-of-memory`, `adapter.limit`,
   *   `adapter.shader-refused`
   */
  static async create(
    gpu: Gpu,
    config: ModelConfig,
    weights: ModelWeights,
    options: EngineOptions,
  ): Promise<WebGpuEngine> {
    const { activations, contextLength, tuningStore, variants: forced = {} } = options
    const key = tuningKey(gpu, config, weights, chunkRows(gpu, contextLength, options.chunkTokens))
    const known = tuningStore ? await readTuning(tuningStore, key) : {}
    const measure = !gpu.software || options.measureSoftware === true
    const choices = planChoices(candidates(gpu, config, weights, activations), { forced, known, measure })
    const engine = await gpu.allocating(
      'cache and activations',
      () => new WebGpuEngine(gpu, config, weights, options, choices),
    )
    const measured = await engine.#prepareKernels(choices, options)
    if (tuningStore && Object.keys(measured).length > 0) {
      await writeTuning(tuningStore, key, { ...known, ...measured })
    }
    return engine
  }

  /** Chooses variants and compiles the plans of a single conversation. @returns what was measured */
  async #prepareKernels(choices: readonly ChoicePlan[], options: EngineOptions): Promise<TuningTimes> {
    // Most kernels do not depend on the choice, and compile meanwhile with what is likely to be chosen.
    const likely = Object.fromEntries(choices.map(({ name, order }) => [name, order[0]])) as Variants
    const meanwhile = Promise.all([this.#plans.prefill(likely), this.#plans.step(likely, 1)]).catch(
      (error) => {
        if (!hasCode(error, 'adapter.shader-refused')) throw error
      },
    )
    const beforeMeasuring = async () => {
      const [likelyPlans] = await Promise.all([meanwhile, options.weightsReady])
      options.onMeasure?.()
      this.#plans.placeTrials(this.contextLength)
      // Trials compute with numbers and at clocks as they are in use.
      if (likelyPlans) this.#runner.submit('warm-up', likelyPlans[0], this.chunkTokens)
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

  get memory(): Engine['memory'] {
    return this.gpu.memory
  }

  get cacheUsed(): number {
    return (this.#cache.pages - this.#cache.free) * pageBytes(this.config)
  }

  available(prefix: Prefix | undefined): number {
    const rows = Math.min(this.#memory.slotPages, this.#cache.pages) * PAGE_ROWS
    const kept = Math.min(rows, this.contextLength + PREFIX_ROWS) - (prefix?.length ?? 0)
    return Math.max(0, Math.min(this.contextLength, kept))
  }

  owns(prefix: Prefix): boolean {
    return this.gpu.owns(prefix.rows)
  }

  open(start: SequenceStart): Slot | undefined {
    this.gpu.check()
    const index = this.#slots.indexOf(undefined)
    if (index < 0) return undefined
    const { prefix, prefixStrength, ids, positionLimit, fresh = false } = start
    const rows = Math.min(ids.length + 1, positionLimit)
    const lease = this.#cache.open(prefix, prefixStrength, ids, { fresh, rows })
    if (!lease) return undefined
    try {
      // Written when the prompt is computed, while the GPU is at work.
      const contents = this.tables.check(start)
      return this.#place(new SlotState(index, start, lease, lease.cached, contents))
    } catch (error) {
      this.#cache.close(lease)
      throw error
    }
  }

  #place(slot: SlotState): SlotState {
    const { index, start, lease } = slot
    this.#slots[index] = slot
    this.#memory.writeTable(index, start.prefixStrength, lease.pages)
    this.#runner.forgetRows()
    return slot
  }

  reserve(slot: Slot): boolean {
    const state = this.#stateOf(slot)
    const before = state.lease.pages.length
    if (!this.#cache.grow(state.lease, state.nextRows)) return false
    const added = state.lease.pages.slice(before)
    if (added.length > 0) this.#memory.writePages(state.index, before, added)
    return true
  }

  prepare({ rows, chunks }: Step): Promise<void> | undefined {
    const counts = [rows.length, this.#finishing(chunks).length].filter((count) => count > 0)
    const needed: Prepared<unknown>[] = counts.map((count) => this.#stepOf(count))
    if (chunks.some(({ logits }) => logits)) needed.push(this.#logitsHead)
    const missing = needed.filter(({ value }) => !value)
    return missing.length === 0 ? undefined : Promise.all(missing.map((one) => one.get())).then(() => {})
  }

  run(step: Step): Promise<StepOutput> {
    this.gpu.check()
    const rows = step.rows.map((slot) => this.#stateOf(slot))
    const body = ready(this.#prefill)
    const staging = this.#runner.takeStaging()
    if (rows.length > 0) this.#runner.submitRows(ready(this.#stepOf(rows.length)), rows, staging)
    for (const slot of rows) slot.samples++
    const finishing: SlotState[] = []
    const logits: (Promise<Float32Array<ArrayBuffer>> | undefined)[] = []
    for (const chunk of step.chunks) {
      const slot = this.#stateOf(chunk.slot)
      const first = slot.promptTokens
      const ids = slot.start.ids.slice(first, first + chunk.count)
      this.#runner.submitChunk(body, slot, ids, first)
      slot.promptTokens += ids.length
      this.#cache.append(slot.lease, ids)
      logits.push(chunk.logits ? this.#submitLogits(ids.length) : undefined)
      if (chunk.logits || slot.pendingTokens > 0) continue
      this.#runner.keepLastRow(ids.length, finishing.length)
      finishing.push(slot)
    }
    if (finishing.length > 0) {
      for (const { index, start, contents } of finishing) this.tables.write(index, start, contents, [])
      this.#runner.submitFirst(ready(this.#stepOf(finishing.length)), finishing, staging, rows.length)
      for (const slot of finishing) slot.samples++
    }
    return this.#collect(step, staging, rows, finishing, logits)
  }

  /** The logits at all rows of the chunk that was submitted last. */
  #submitLogits(rows: number): Promise<Float32Array<ArrayBuffer>> {
    const { dispatches, buffers } = ready(this.#logitsHead)
    return this.#runner.readLogits(this.#runner.submitLogits(dispatches, buffers, rows))
  }

  /** Waits for a step, and notes what its rows gave. */
  async #collect(
    step: Step,
    staging: GPUBuffer,
    rows: readonly SlotState[],
    finishing: readonly SlotState[],
    logits: readonly (Promise<Float32Array<ArrayBuffer>> | undefined)[],
  ): Promise<StepOutput> {
    const reading = this.#runner.read(staging, rows.length + finishing.length)
    const [outputs, ...chunkLogits] = await Promise.all([reading, ...logits])
    ;[...rows, ...finishing].forEach((slot, i) => {
      const { id } = outputs[i]
      if (slot.closed || id === undefined) return
      // What was fed to the step is in the cache now.
      const fed = slot.generated.at(-1)
      if (fed !== undefined) this.#cache.append(slot.lease, [fed])
      slot.generated.push(id)
    })
    const chunks = step.chunks.map(({ slot }, i): ChunkOutput => {
      const at = finishing.indexOf(slot as SlotState)
      const all = chunkLogits[i]
      return { ...(at >= 0 && { sampled: outputs[rows.length + at] }), ...(all && { logits: all }) }
    })
    return { rows: outputs.slice(0, rows.length), chunks }
  }

  close(slot: Slot, spoiled = false): void {
    const state = this.#stateOf(slot)
    state.closed = true
    this.#slots[state.index] = undefined
    this.#cache.close(state.lease, spoiled)
  }

  async suspend(slot: Slot): Promise<SuspendedSequence> {
    const state = this.#stateOf(slot)
    const { start, generated, lease, prefixPages } = state
    const ids = [...lease.ids]
    const used = Math.ceil(((start.prefix?.length ?? 0) + ids.length) / PAGE_ROWS)
    // The place must not be given to others before everything is on the host.
    const pages = await this.#memory.readPages(lease.pages.slice(prefixPages, used))
    this.close(state)
    const suspended: Suspended = { start, generated, ids, pages }
    return suspended
  }

  resume(suspended: SuspendedSequence): Slot | undefined {
    this.gpu.check()
    const { start, generated, ids, pages } = suspended as Suspended
    const index = this.#slots.indexOf(undefined)
    if (index < 0) return undefined
    const rows = start.ids.length + generated.length
    const lease = this.#cache.open(start.prefix, start.prefixStrength, [], { fresh: true, rows })
    if (!lease) return undefined
    const done = Math.min(ids.length, start.ids.length)
    const slot = new SlotState(index, start, lease, done, this.tables.check(start), generated)
    const count = pages.byteLength / pageBytes(this.config)
    this.#memory.writePagesBack(lease.pages.slice(slot.prefixPages, slot.prefixPages + count), pages)
    this.#cache.append(lease, ids)
    // A sequence whose prompt is not computed yet has not sampled, and gets its tables when it does.
    if (generated.length > 0) this.tables.write(index, start, slot.contents, generated)
    return this.#place(slot)
  }

  forget(): void {
    this.#cache.forget()
  }

  release(prefix: Prefix): void {
    this.#cache.release(prefix)
  }

  #stateOf(slot: Slot): SlotState {
    const state = slot as SlotState
    if (this.#slots[state.index] !== state) throw new TypeError(`Slot ${state.index} was given back.`)
    return state
  }

  /** The slots whose prompt a step completes. */
  #finishing(chunks: Step['chunks']): Slot[] {
    return chunks.flatMap(({ slot, count, logits }) => (!logits && count >= slot.pendingTokens ? [slot] : []))
  }

  /** The plan of a step over so many rows, or the next larger number that there is a plan for. */
  #stepOf(rows: number): Prepared<StepPlan> {
    const bucket = rowBucket(this.gpu, rows, this.maxSequences)
    const step = this.#steps.get(bucket) ?? new Prepared(() => this.#plans.step(this.#chosen, bucket))
    this.#steps.set(bucket, step)
    return step
  }

  /** The dispatches of a chunk of a prompt. */
  prefillPlan(): Promise<Dispatch[]> {
    return this.#prefill.get()
  }

  /** The dispatches of a step over so many rows. */
  stepPlan(rows: number): Promise<StepPlan> {
    return this.#stepOf(rows).get()
  }

  /** From residual streams to logits, for all positions of a chunk. */
  async #buildLogitsHead(): Promise<LogitsHead> {
    const { vocabulary, hidden } = this.config
    const floats = (label: string, width: number) =>
      this.gpu.allocate('activations', label, LOGITS_ROWS * width * 4)
    const buffers = await this.gpu.allocating('logits', () => ({
      hidden: floats('logits hidden', hidden),
      normed: floats('logits normed', hidden),
      logits: floats('logits of a block', vocabulary),
    }))
    return { buffers, dispatches: await this.#plans.promptHead(this.#chosen, LOGITS_ROWS, buffers) }
  }
}
