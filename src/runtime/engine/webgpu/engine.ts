import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { PAGE_ROWS, type SampledId } from '../../../kernels/index.js'
import type { AdapterHandle, ModelConfig, ModelWeights, Prefix } from '../../model/index.js'
import { PageCache } from '../cache/page-cache.js'
import type {
  Chunk,
  ChunkOutput,
  Engine,
  RowOutput,
  SequenceStart,
  Slot,
  Step,
  StepOutput,
  SuspendedSequence,
} from '../engine.js'
import { candidates } from '../variants/candidates.js'
import { type ChoicePlan, planChoices } from '../variants/choose-variants.js'
import { FEW_SEQUENCES } from '../variants/kinds/decode-few.js'
import { readTuning, tuningKey, writeTuning } from '../variants/tuning-record.js'
import type { VariantChoices, VariantName, VariantOf } from '../variants/variants.js'
import { CacheMemory, pageBytes } from './cache-memory.js'
import {
  cachePages,
  checkSizes,
  chunkRows,
  type EngineOptions,
  mostRows,
  PREFIX_ROWS,
} from './engine-options.js'
import { forcedRows, stepRows } from './forced-rows.js'
import { allocateActivations, type ForwardContext } from './forward.js'
import { allocateParts, FusedDecode } from './fused-decode.js'
import { FusedStep } from './fused-step.js'
import { allocateQuantized } from './linear.js'
import type { LoraBuffersOfPlans } from './lora.js'
import { LoraMemory } from './lora-memory.js'
import type { StepPlan } from './plans.js'
import { Prepared } from './prepared.js'
import { PreparedPlans } from './prepared-plans.js'
import { LOGITS_ROWS, PromptRows } from './prompt-rows.js'
import { SlotState } from './slot.js'
import { SlotTables } from './slot-tables.js'
import { BLOCKS, halvesFormat } from './step-format.js'
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
  readonly #cache: PageCache<AdapterHandle>
  /** LoRA adapters. */
  readonly lora: LoraMemory
  readonly #memory: CacheMemory
  readonly #slots: (SlotState | undefined)[]
  readonly #runner: StepRunner
  readonly #plans: PreparedPlans
  readonly #likeliest = new Prepared(() => this.tables.buildLikeliest())
  readonly #promptRows: PromptRows
  /** What the plans of the step that was prepared last are bound to, for rows with LoRA adapters. */
  #loraOfStep: LoraBuffersOfPlans | undefined
  /** Settled when what the steps so far gave is noted: that is done in their order. */
  #noted: Promise<unknown> = Promise.resolve()

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
    this.lora = new LoraMemory(gpu, config, maxSequences)
    this.#slots = new Array<SlotState | undefined>(maxSequences).fill(undefined)
    const maxRows = mostRows(choices, maxSequences)
    this.tables = new SlotTables(gpu, { vocabulary: config.vocabulary, slots: maxSequences, maxRows })
    this.#context = { gpu, config, weights, cache: this.#memory }
    // Rows and chunks are computed one after the other, in the same buffers but for what passes from step to step.
    const prefill = allocateActivations(gpu, config, 'prefill', Math.max(this.chunkTokens, maxRows))
    const hidden = gpu.allocate('activations', 'decode hidden', maxRows * config.hidden * 4)
    const decode = { ...prefill, maxRows, hidden, rows: this.tables.rows }
    const mayBe = (variant: VariantOf, of?: VariantName) =>
      choices.some(({ name, order }) => (of === undefined || name === of) && order.includes(variant))
    const few = { ...decode, maxRows: Math.min(maxRows, FEW_SEQUENCES) }
    const chunk = { ...prefill, maxRows: this.chunkTokens }
    const parts = ({ maxRows }: { readonly maxRows: number }) => allocateParts(this.#context, maxRows)
    const rounded = Math.max(this.chunkTokens, LOGITS_ROWS)
    const buffers = {
      context: this.#context,
      prefill: chunk,
      decode,
      tables: this.tables,
      quantized: mayBe('int8') ? allocateQuantized(gpu, weights, rounded) : undefined,
      fused: mayBe('fused-int8', 'decode') ? new FusedDecode(this.#context, decode) : undefined,
      fusedFew:
        maxRows > 1 && mayBe('fused-int8', 'decodeFew')
          ? new FusedStep(this.#context, few, BLOCKS, parts(few))
          : undefined,
      fusedMany:
        maxRows > FEW_SEQUENCES && mayBe('fused-subgroup-matrix', 'decodeMany')
          ? new FusedStep(this.#context, decode, halvesFormat(decode, false), parts(decode))
          : undefined,
      fusedPrompt: mayBe('fused-subgroup-matrix', 'prefill')
        ? new FusedStep(this.#context, chunk, halvesFormat(chunk, true), {})
        : undefined,
    }
    this.#runner = new StepRunner(gpu, config, buffers, maxSequences)
    this.#plans = new PreparedPlans({ buffers, runner: this.#runner, contextLength, maxSequences })
    this.#promptRows = new PromptRows(gpu, config, prefill.hidden, this.chunkTokens, (blocks) =>
      this.#plans.promptHead(LOGITS_ROWS, blocks),
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
    const measured = await engine.#plans.choose(choices, options)
    if (tuningStore && Object.keys(measured).length > 0) {
      await writeTuning(tuningStore, key, { ...known, ...measured })
    }
    return engine
  }

  get variants(): VariantChoices {
    return this.#plans.variants
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

  available(prefix: AdapterHandle | undefined): number {
    const rows = Math.min(this.#memory.slotPages, this.#cache.pages) * PAGE_ROWS
    const kept = Math.min(rows, this.contextLength + PREFIX_ROWS) - (prefix?.length ?? 0)
    return Math.max(0, Math.min(this.contextLength, kept))
  }

  owns(prefix: AdapterHandle): boolean {
    return 'rows' in prefix ? this.gpu.owns((prefix as Prefix).rows) : this.lora.owns(prefix)
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
    this.lora.assign(index, start.prefix, start.prefixStrength)
    this.#runner.forgetRows()
    return slot
  }

  get mostRows(): number {
    return this.maxSequences
  }

  reserve(slot: Slot, forced = 0): boolean {
    const state = this.#stateOf(slot)
    const before = state.lease.pages.length
    if (!this.#cache.grow(state.lease, state.nextRows + forced)) return false
    const added = state.lease.pages.slice(before)
    if (added.length > 0) this.#memory.writePages(state.index, before, added)
    return true
  }

  prepare(step: Step): Promise<void> | undefined {
    const { rows, chunks } = step
    this.#loraOfStep = this.lora.take()
    const states = rows.map((slot) => this.#stateOf(slot))
    const all = stepRows(step)
    const needed: Prepared<unknown>[] = states.length > 0 ? [this.#stepPlanOf(states, all)] : []
    const finishing = this.#finishing(chunks).length
    if (finishing > 0) needed.push(this.#plans.step(finishing))
    needed.push(...chunks.map(({ slot }) => this.#prefillOf(this.#stateOf(slot))))
    if (chunks.some(({ logits, scores }) => logits || scores)) needed.push(this.#promptRows.blocks)
    const sampled = [...rows, ...this.#finishing(chunks)]
    if (all > rows.length || sampled.some((slot) => this.#stateOf(slot).likeliest > 0)) {
      needed.push(this.#likeliest)
    }
    const missing = needed.filter(({ value }) => !value)
    return missing.length === 0 ? undefined : Promise.all(missing.map((one) => one.get())).then(() => {})
  }

  run(step: Step): StepOutput {
    this.gpu.check()
    for (const [slot, mask] of step.masks ?? []) this.tables.writeMask(slot.index, mask)
    const { forced } = step
    const states = step.rows.map((slot) => this.#stateOf(slot))
    const ahead = forcedRows(states, forced)
    for (const [slot, ids] of forced ?? []) {
      const { index, start, generated } = this.#stateOf(slot)
      this.tables.writeForced(index, start, [...generated, ...ids])
    }
    const rows = this.#sampled(
      states,
      (slots, score) => {
        const plan = this.#stepPlanOf(slots, slots.length + ahead.length)
        return this.#runner.submitRows(
          plan.ready,
          slots,
          ahead.length > 0 ? this.#likeliest.ready : score,
          ahead,
        )
      },
      forced,
    )
    const finishing: SlotState[] = []
    const outputs = step.chunks.map((chunk) => {
      const slot = this.#stateOf(chunk.slot)
      const first = slot.promptTokens
      const ids = slot.start.ids.slice(first, first + chunk.count)
      this.#runner.submitChunk(this.#prefillOf(slot).ready, slot, ids, first)
      slot.promptTokens += ids.length
      this.#cache.append(slot.lease, ids)
      const output = this.#submitRowsOf(chunk, slot, ids.length, first)
      if (chunk.logits || chunk.scores || slot.pendingTokens > 0) return output
      this.#runner.keepLastRow(ids.length, finishing.length)
      finishing.push(slot)
      return output
    })
    for (const { index, start, contents } of finishing) this.tables.write(index, start, contents, [])
    const first = this.#sampled(finishing, (slots, score) =>
      this.#runner.submitFirst(this.#plans.step(slots.length).ready, slots, score),
    )
    return { rows, chunks: this.#collect(step.chunks, finishing, first, outputs) }
  }

  begin(slots: readonly Slot[]): void {
    const states = slots.map((slot) => this.#stateOf(slot))
    this.#runner.beginRows(this.#stepPlanOf(states, states.length).ready, states)
  }

  /** Submits what samples an id for each of some slots, and notes the ids when they are there. */
  async #sampled(
    slots: readonly SlotState[],
    submit: (slots: readonly SlotState[], score: readonly Dispatch[]) => Promise<RowOutput[]>,
    forced?: Step['forced'],
  ): Promise<readonly RowOutput[]> {
    if (slots.length === 0) return []
    const sampled = submit(slots, this.#scoring(slots))
    for (const slot of slots) slot.samples += 1 + (forced?.get(slot)?.length ?? 0)
    const noted = Promise.all([sampled, this.#noted]).then(([outputs]) => {
      slots.forEach((slot, i) => {
        const { id } = outputs[i]
        if (slot.closed || id === undefined) return
        // What was fed to the step is in the cache now.
        const fed = slot.generated.at(-1)
        const ids = forced?.get(slot) ?? []
        if (fed !== undefined) this.#cache.append(slot.lease, [fed, ...ids])
        slot.generated.push(...ids, id)
      })
      return outputs
    })
    this.#noted = noted.catch(() => {})
    return noted
  }

  /** The plan of a step over so many rows of some slots: with what adds terms of LoRA only where one of them has any. */
  #stepPlanOf(slots: readonly SlotState[], rows: number): Prepared<StepPlan> {
    const lora = slots.some(hasLora) ? this.#loraOfStep : undefined
    return lora ? this.#plans.adaptedStep(rows, lora) : this.#plans.step(rows)
  }

  /** The plan of a chunk of a slot's prompt. */
  #prefillOf(slot: SlotState): Prepared<Dispatch[]> {
    const lora = hasLora(slot) ? this.#loraOfStep : undefined
    return lora ? this.#plans.adaptedPrefill(lora) : this.#plans.prefill
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

  /** Waits until the chunks of a step are computed. @param first the first ids of slots whose prompt is complete */
  async #collect(
    chunks: Step['chunks'],
    finishing: readonly SlotState[],
    first: Promise<readonly SampledId[]>,
    outputs: readonly Promise<ChunkOutput>[],
  ): Promise<readonly ChunkOutput[]> {
    const computed = chunks.length > 0 ? this.gpu.finish() : undefined
    const [sampled, ofChunks] = await Promise.all([first, Promise.all(outputs), computed])
    return chunks.map(({ slot }, i): ChunkOutput => {
      const at = finishing.indexOf(slot as SlotState)
      return at >= 0 ? { sampled: sampled[at] } : ofChunks[i]
    })
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
    const lease = this.#cache.open(start.prefix, start.prefixStrength, [], {
      fresh: true,
      rows,
    })
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

  release(prefix: AdapterHandle): void {
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

  /** The dispatches of a chunk of a prompt. */
  prefillPlan(): Promise<Dispatch[]> {
    return this.#plans.prefill.get()
  }

  /** The dispatches of a step over so many rows. */
  stepPlan(rows: number): Promise<StepPlan> {
    return this.#plans.step(rows).get()
  }
}

function hasLora({ start }: SlotState): boolean {
  return start.prefix?.kind === 'lora'
}
