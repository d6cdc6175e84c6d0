import { hasCode } from '../../../errors/index.js'
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { PAGE_ROWS, type QuantizedActivations } from '../../../kernels/index.js'
import type { ModelConfig, ModelWeights, Prefix } from '../../model/index.js'
import { PageCache } from '../cache/page-cache.js'
import type {
  Chunk,
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
import { byVariantName, type VariantChoices, type VariantOf, type Variants } from '../variants/variants.js'
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
import { LOGITS_ROWS, PromptRows } from './prompt-rows.js'
import { SlotState } from './slot.js'
import { SlotTables } from './slot-tables.js'
import { STEPS_UNDER_WAY, StepRunner } from './step-runner.js'

/** A sequence without a place: what was in its pages, and what it has generated. */
interface Suspended extends SuspendedSequence {
  readonly start: SequenceStart
  readonly generated: number[]
  /** Ids in the pages. */
  readonly ids: readonly number[]
  readonly pages: ArrayBuffer
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
  readonly #likeliest = new Prepared(() => this.tables.buildLikeliest())
  readonly #promptRows: PromptRows

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
    const products = choices.flatMap(({ name, order }) => (name === 'fewRowsProduct' ? order : []))
    const maxRows = Math.max(
      ...products.map((product) =>
        rowBucket(product as VariantOf<'fewRowsProduct'>, maxSequences, maxSequences),
      ),
    )
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
    this.#promptRows = new PromptRows(gpu, config, prefill.hidden, this.chunkTokens, (blocks) =>
      this.#plans.promptHead(this.#chosen, LOGITS_ROWS, blocks),
    )
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
    const choices = planChoices(candidates({ gpu, config, shape: weights, activations }), {
      forced,
      known,
      measure,
    })
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
      build: (name, variant) => this.#plans.trial(name, variant, likely),
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
    return byVariantName((name) => this.variants[name].variant) as Variants
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
    if (chunks.some(({ logits, scores }) => logits || scores)) needed.push(this.#promptRows.blocks)
    const sampled = [...rows, ...this.#finishing(chunks)]
    if (sampled.some((slot) => this.#stateOf(slot).likeliest > 0)) needed.push(this.#likeliest)
    const missing = needed.filter(({ value }) => !value)
    return missing.length === 0 ? undefined : Promise.all(missing.map((one) => one.get())).then(() => {})
  }

  run(step: Step): Promise<StepOutput> {
    this.gpu.check()
    const rows = step.rows.map((slot) => this.#stateOf(slot))
    const body = this.#prefill.ready
    const staging = this.#runner.takeStaging()
    if (rows.length > 0) {
      this.#runner.submitRows(this.#stepOf(rows.length).ready, rows, staging, this.#scoring(rows))
    }
    for (const slot of rows) slot.samples++
    const finishing: SlotState[] = []
    const outputs: Promise<ChunkOutput>[] = []
    for (const chunk of step.chunks) {
      const slot = this.#stateOf(chunk.slot)
      const first = slot.promptTokens
      const ids = slot.start.ids.slice(first, first + chunk.count)
      this.#runner.submitChunk(body, slot, ids, first)
      slot.promptTokens += ids.length
      this.#cache.append(slot.lease, ids)
      outputs.push(this.#submitRowsOf(chunk, slot, ids.length, first))
      if (chunk.logits || chunk.scores || slot.pendingTokens > 0) continue
      this.#runner.keepLastRow(ids.length, finishing.length)
      finishing.push(slot)
    }
    if (finishing.length > 0) {
      for (const { index, start, contents } of finishing) this.tables.write(index, start, contents, [])
      const plan = this.#stepOf(finishing.length).ready
      this.#runner.submitFirst(plan, finishing, staging, this.#scoring(finishing), rows.length)
      for (const slot of finishing) slot.samples++
    }
    return this.#collect(step, staging, rows, finishing, outputs)
  }

  /** The dispatches to the likeliest ids, where one of the slots wants them. */
  #scoring(slots: readonly SlotState[]): readonly Dispatch[] {
    return slots.some(({ likeliest }) => likeliest > 0) ? this.#likeliest.ready : []
  }

  /** What is wanted at all rows of the chunk that was submitted last. @param first its first position */
  async #submitRowsOf(chunk: Chunk, slot: SlotState, rows: number, first: number): Promise<ChunkOutput> {
    if (chunk.logits) return { logits: await this.#promptRows.logits(rows) }
    if (!chunk.scores) return {}
    const targets = Array.from({ length: rows }, (_, row) => slot.start.ids.at(first + row + 1))
    return { scores: await this.#promptRows.scores(targets, slot.likeliest) }
  }

  /** Waits for a step, and notes what its rows gave. */
  async #collect(
    step: Step,
    staging: GPUBuffer,
    rows: readonly SlotState[],
    finishing: readonly SlotState[],
    chunkOutputs: readonly Promise<ChunkOutput>[],
  ): Promise<StepOutput> {
    const sampled = [...rows, ...finishing]
    const reading = this.#runner.read(staging, sampled)
    const [outputs, ...ofChunks] = await Promise.all([reading, ...chunkOutputs])
    sampled.forEach((slot, i) => {
      const { id } = outputs[i]
      if (slot.closed || id === undefined) return
      // What was fed to the step is in the cache now.
      const fed = slot.generated.at(-1)
      if (fed !== undefined) this.#cache.append(slot.lease, [fed])
      slot.generated.push(id)
    })
    const chunks = step.chunks.map(({ slot }, i): ChunkOutput => {
      const at = finishing.indexOf(slot as SlotState)
      return at >= 0 ? { sampled: outputs[rows.length + at] } : ofChunks[i]
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
    return chunks.flatMap(({ slot, count, logits, scores }) =>
      !logits && !scores && count >= slot.pendingTokens ? [slot] : [],
    )
  }

  /** The plan of a step over so many rows, or the next larger number that there is a plan for. */
  #stepOf(rows: number): Prepared<StepPlan> {
    const bucket = rowBucket(this.variants.fewRowsProduct.variant, rows, this.maxSequences)
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
}
