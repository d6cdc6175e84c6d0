import { type LikelyId, PAGE_ROWS, type SampledId } from '../../../kernels/index.js'
import { type Lease, PageCache, type PageMemory } from '../../engine/cache/page-cache.js'
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
} from '../../engine/index.js'
import type { AdapterHandle, ModelConfig } from '../../model/index.js'

/** Ids that the fake model knows; 0 is a stop id of the tests. */
export const VOCABULARY = 40

/** A cache whose rows are texts that say what was computed. */
class TextMemory implements PageMemory<AdapterHandle> {
  readonly rows: (string | undefined)[]

  constructor(pages: number) {
    this.rows = new Array(pages * PAGE_ROWS).fill(undefined)
  }

  copyRows(from: number, to: number, rows: number): void {
    for (let row = 0; row < rows; row++) this.rows[to * PAGE_ROWS + row] = this.rows[from * PAGE_ROWS + row]
  }

  copyPrefix(prefix: AdapterHandle, firstRow: number, rows: number, page: number): void {
    for (let row = 0; row < rows; row++)
      this.rows[page * PAGE_ROWS + row] = `${prefix.name} ${firstRow + row}`
  }
}

/** A slot, and what a GPU would hold of it: always ahead of what the host knows. */
interface FakeSlot extends Slot {
  readonly start: SequenceStart
  readonly lease: Lease<AdapterHandle>
  cachedTokens: number
  promptTokens: number
  /** Ids that were sampled, those that the host has not seen included. */
  readonly sampled: number[]
  /** How many of them the host has seen. */
  seen: number
  finished: boolean
  closed: boolean
}

interface FakeSuspended extends SuspendedSequence {
  readonly ids: readonly number[]
  readonly sampled: readonly number[]
  readonly rows: readonly (string | undefined)[]
}

export interface FakeEngineOptions {
  readonly maxSequences: number
  readonly pages: number
  readonly chunkTokens: number
  readonly contextLength: number
  /** Turns of the event loop that the result of a step takes. */
  readonly delay: () => number
  /** What it says next. Default: `nextId`, one of `VOCABULARY` ids. */
  readonly next?: (start: SequenceStart, ids: readonly number[]) => number
  readonly vocabulary?: number
  /** Milliseconds that a step takes, besides. */
  readonly stepMs?: number
  /** Rows of a step with those of forced ids; without it none are forced. */
  readonly mostRows?: number
}

/** What the fake model says next: it depends on everything that a real one's answer depends on. */
export function nextId(start: SequenceStart, ids: readonly number[]): number {
  return hashOf(start, ids) % VOCABULARY
}

function hashOf({ prefix, prefixStrength, sampling }: SequenceStart, ids: readonly number[]): number {
  const text = `${prefix?.name} ${prefixStrength} ${sampling.seed} ${sampling.temperature} ${ids.join(' ')}`
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return hash >>> 8
}

/**
 * An engine whose model is a hash of everything before the next id, and whose cache holds texts: it checks at every row
 * that all rows before it are what they must be.
 */
export class FakeEngine implements Engine {
  readonly config: ModelConfig
  readonly contextLength: number
  readonly maxSequences: number
  readonly chunkTokens: number
  readonly mostRows: number | undefined
  readonly stepsUnderWay = 3
  readonly memory = { weights: 0, cache: 0, prefixes: 0, activations: 0 }
  readonly cacheUsed = 0
  readonly steps: Step[] = []
  /** The slots whose next rows were begun, each time. */
  readonly begun: (readonly Slot[])[] = []
  /** Makes `run` fail from now on, as a lost device does. */
  failure: Error | undefined
  readonly cache: PageCache<AdapterHandle>
  readonly #memory: TextMemory
  readonly #slots: (FakeSlot | undefined)[]
  readonly #delay: () => number
  readonly #stepMs: number
  readonly #next: (start: SequenceStart, ids: readonly number[]) => number
  #order: Promise<unknown> = Promise.resolve()
  #underWay = 0

  constructor(options: FakeEngineOptions) {
    const { maxSequences, pages, chunkTokens, contextLength, delay } = options
    const { vocabulary = VOCABULARY, next = nextId, stepMs = 0 } = options
    this.config = { vocabulary } as ModelConfig
    this.#next = next
    this.#stepMs = stepMs
    this.maxSequences = maxSequences
    this.mostRows = options.mostRows
    this.chunkTokens = chunkTokens
    this.contextLength = contextLength
    this.#memory = new TextMemory(pages)
    this.cache = new PageCache(pages, this.#memory)
    this.#slots = new Array<FakeSlot | undefined>(maxSequences).fill(undefined)
    this.#delay = delay
  }

  available(prefix: AdapterHandle | undefined): number {
    return Math.min(this.contextLength, this.cache.pages * PAGE_ROWS - (prefix?.length ?? 0))
  }

  owns(): boolean {
    return true
  }

  open(start: SequenceStart): Slot | undefined {
    const { prefix, prefixStrength, ids, positionLimit, fresh } = start
    const rows = Math.min(ids.length + 1, positionLimit)
    const index = this.#slots.indexOf(undefined)
    const lease =
      index < 0 ? undefined : this.cache.open(prefix, prefixStrength, ids, { rows, fresh: fresh ?? false })
    return lease && this.#place(index, start, lease, lease.cached, [])
  }

  #place(
    index: number,
    start: SequenceStart,
    lease: Lease<AdapterHandle>,
    promptTokens: number,
    sampled: number[],
  ) {
    const slot: FakeSlot = {
      index,
      start,
      lease,
      cachedTokens: lease.cached,
      promptTokens,
      sampled,
      seen: sampled.length,
      finished: false,
      closed: false,
      get pendingTokens() {
        return start.ids.length - this.promptTokens
      },
      get exhausted() {
        return this.sampled.length >= start.positionLimit - start.ids.length
      },
    }
    this.#slots[index] = slot
    return slot
  }

  reserve(slot: Slot, forced = 0): boolean {
    const { start, lease, sampled } = slot as FakeSlot
    return this.cache.grow(lease, start.ids.length + sampled.length + forced)
  }

  begin(slots: readonly Slot[]): void {
    for (const slot of slots) {
      const { start, lease, sampled } = slot as FakeSlot
      if (lease.pages.length * PAGE_ROWS < (start.prefix?.length ?? 0) + start.ids.length + sampled.length) {
        throw new Error('a row was begun that has no page')
      }
    }
    this.begun.push(slots)
  }

  prepare(): Promise<void> | undefined {
    return this.steps.length % 7 === 3 ? Promise.resolve() : undefined
  }

  run(step: Step): StepOutput {
    if (this.failure) throw this.failure
    if (++this.#underWay > this.stepsUnderWay) throw new Error('too many steps under way')
    if (
      new Set([...step.rows, ...step.chunks.map(({ slot }) => slot)]).size <
      step.rows.length + step.chunks.length
    ) {
      throw new Error('a slot is in a step twice')
    }
    if (step.chunks.reduce((sum, { count }) => sum + count, 0) > this.chunkTokens)
      throw new Error('too many rows')
    this.steps.push(step)
    const { masks, forced } = step
    const count = step.rows.length + [...(forced?.values() ?? [])].flat().length
    if (forced && count > (this.mostRows ?? 0)) throw new Error('too many rows')
    const rows = step.rows.map((slot) =>
      this.#computeRow(slot as FakeSlot, masks?.get(slot), forced?.get(slot)),
    )
    const chunks = step.chunks.map((chunk) => this.#computeChunk(chunk, masks?.get(chunk.slot)))
    const before =
      this.#stepMs > 0
        ? this.#order.then(() => new Promise((resolve) => setTimeout(resolve, this.#stepMs)))
        : this.#order
    const ofRows = this.#after(before, () => {
      step.rows.forEach((slot, i) => {
        this.#see(slot as FakeSlot, rows[i])
      })
      return rows
    })
    const ofChunks = this.#after(ofRows, () => {
      this.#underWay--
      step.chunks.forEach(({ slot }, i) => {
        const { sampled } = chunks[i]
        if (sampled) this.#see(slot as FakeSlot, sampled)
      })
      return chunks
    })
    this.#order = ofChunks
    return { rows: ofRows, chunks: ofChunks }
  }

  /** What a part of a step gives, a while after another part. */
  async #after<T>(part: Promise<unknown>, give: () => T): Promise<T> {
    await part
    for (let turn = this.#delay(); turn > 0; turn--) await new Promise(setImmediate)
    return give()
  }

  /** The host learns of an id; what was fed before it is in the cache then. */
  #see(slot: FakeSlot, { id, forced = [] }: RowOutput): void {
    if (slot.closed || id === undefined) return
    for (let left = 1 + forced.length; left > 0; left--) {
      if (slot.seen > 0) this.cache.append(slot.lease, [slot.sampled[slot.seen - 1]])
      slot.seen++
    }
  }

  #at({ start, lease }: FakeSlot, position: number): number {
    const row = (start.prefix?.length ?? 0) + position
    return lease.pages[Math.floor(row / PAGE_ROWS)] * PAGE_ROWS + (row % PAGE_ROWS)
  }

  /** Computes the row of a position, behind rows that must be right. */
  #compute(slot: FakeSlot, position: number): readonly number[] {
    const { prefix, prefixStrength } = slot.start
    const ids = [...slot.start.ids, ...slot.sampled].slice(0, position + 1)
    for (let row = 0; row < (prefix?.length ?? 0); row++) {
      const text = this.#memory.rows[this.#at(slot, row - (prefix?.length ?? 0))]
      if (text !== `${prefix?.name} ${row}`) throw new Error(`row ${row} of the prefix is "${text}"`)
    }
    const textOf = (p: number) => `${prefix?.name} ${prefixStrength}: ${ids.slice(0, p + 1).join(' ')}`
    for (let p = 0; p < position; p++) {
      const text = this.#memory.rows[this.#at(slot, p)]
      if (text !== textOf(p)) throw new Error(`position ${p} is "${text}" instead of "${textOf(p)}"`)
    }
    this.#memory.rows[this.#at(slot, position)] = textOf(position)
    return ids
  }

  /** The id that the model says next, or another where a mask leaves it out. */
  #choose(start: SequenceStart, ids: readonly number[], mask: Uint32Array | undefined): number {
    if ((mask !== undefined) !== (start.constrained === true)) throw new Error('a mask where none belongs')
    const id = this.#next(start, ids)
    const isAllowed = (one: number) => mask === undefined || ((mask[one >> 5] >>> (one & 31)) & 1) === 1
    if (isAllowed(id)) return id
    const allowed = Array.from({ length: this.config.vocabulary }, (_, one) => one).filter(isAllowed)
    return allowed[hashOf(start, ids) % allowed.length]
  }

  /** As if all ids were equally likely. */
  #likeliest({ likeliest = 0 }: SequenceStart): LikelyId[] {
    const logProbability = -Math.log(this.config.vocabulary)
    return Array.from({ length: likeliest }, (_, id) => ({ id, logProbability }))
  }

  #sample(slot: FakeSlot, ids: readonly number[], mask: Uint32Array | undefined): SampledId {
    const none = { logProbability: 0, notFinite: false, allBanned: false, generated: slot.sampled.length }
    if (slot.finished) return { ...none, id: undefined, finished: true }
    const id = this.#choose(slot.start, ids, mask)
    slot.sampled.push(id)
    slot.finished = slot.start.stopIds.includes(id)
    const likeliest = slot.start.likeliest ? { likeliest: this.#likeliest(slot.start) } : {}
    return { ...none, ...likeliest, id, finished: slot.finished, generated: slot.sampled.length }
  }

  #computeRow(slot: FakeSlot, mask: Uint32Array | undefined, forcedIds: readonly number[] = []): RowOutput {
    if (slot.closed) throw new Error('the slot was given back')
    if (slot.finished) return this.#sample(slot, [], mask)
    if (forcedIds.length > 0 && slot.seen < slot.sampled.length)
      throw new Error('forced with steps under way')
    const next = () => this.#compute(slot, slot.start.ids.length + slot.sampled.length - 1)
    const forced = forcedIds.map((id) => {
      next()
      slot.sampled.push(id)
      return { logProbability: 0, likeliest: this.#likeliest(slot.start) }
    })
    const output = this.#sample(slot, next(), mask)
    return forced.length > 0 ? { ...output, forced } : output
  }

  #computeChunk({ slot: given, count, logits, scores }: Chunk, mask: Uint32Array | undefined): ChunkOutput {
    const slot = given as FakeSlot
    const { ids } = slot.start
    const part = ids.slice(slot.promptTokens, slot.promptTokens + count)
    for (const _ of part) this.#compute(slot, slot.promptTokens++)
    this.cache.append(slot.lease, part)
    if (logits) return { logits: new Float32Array(part.length * this.config.vocabulary) }
    if (scores) {
      const logProbability = -Math.log(this.config.vocabulary)
      return { scores: part.map(() => ({ logProbability, likeliest: this.#likeliest(slot.start) })) }
    }
    return slot.pendingTokens > 0 ? {} : { sampled: this.#sample(slot, ids, mask) }
  }

  close(slot: Slot, spoiled = false): void {
    const state = slot as FakeSlot
    if (this.#slots[state.index] !== state) throw new Error('the slot was given back before')
    state.closed = true
    this.#slots[state.index] = undefined
    this.cache.close(state.lease, spoiled)
  }

  async suspend(slot: Slot): Promise<SuspendedSequence> {
    const state = slot as FakeSlot
    if (state.seen !== state.sampled.length) throw new Error('suspended with steps under way')
    const { start, lease, sampled } = state
    const rows = lease.ids.map((_, position) => this.#memory.rows[this.#at(state, position)])
    await new Promise(setImmediate)
    this.close(state)
    const suspended: FakeSuspended = { start, ids: [...lease.ids], sampled: [...sampled], rows }
    return suspended
  }

  resume(suspended: SuspendedSequence): Slot | undefined {
    const { start, ids, sampled, rows } = suspended as FakeSuspended
    const index = this.#slots.indexOf(undefined)
    if (index < 0) return undefined
    const wanted = { fresh: true, rows: start.ids.length + sampled.length }
    const lease = this.cache.open(start.prefix, start.prefixStrength, [], wanted)
    if (!lease) return undefined
    const slot = this.#place(index, start, lease, Math.min(ids.length, start.ids.length), [...sampled])
    rows.forEach((text, position) => {
      this.#memory.rows[this.#at(slot, position)] = text
    })
    this.cache.append(lease, ids)
    return slot
  }

  forget(): void {
    this.cache.forget()
  }

  release(prefix: AdapterHandle): void {
    this.cache.release(prefix)
  }
}
