import { invalidOption } from '../../../errors/index.js'
import {
  HostSampler,
  likeliestIds,
  logProbability,
  type RowScores,
  type SampledId,
} from '../../../kernels/index.js'
import type { AdapterHandle, ModelConfig } from '../../model/index.js'
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
import type { GraphRunner } from './graph-runner.js'
import type { OnnxModelFiles } from './model-files.js'
import type { PastMaker } from './past.js'
import type { HostPrefix } from './prefix.js'
import type { OnnxValues } from './runtime.js'

/** Keys and values of ids, behind a prefix. */
interface Cached {
  readonly prefix: AdapterHandle | undefined
  readonly prefixStrength: number
  readonly ids: number[]
  past: OnnxValues
}

/** A slot: its sequence, and what is cached of it. */
class OnnxSlot implements Slot {
  readonly index: number
  readonly start: SequenceStart
  readonly cachedTokens: number
  readonly sampler: HostSampler
  /** The ids of prompt and answer that are computed, with their keys and values; undefined until the first step. */
  cached: Cached | undefined
  promptTokens: number
  last: SampledId | undefined
  closed = false

  constructor(index: number, start: SequenceStart, sampler: HostSampler, cachedTokens: number) {
    this.index = index
    this.start = start
    this.sampler = sampler
    this.cachedTokens = cachedTokens
    this.promptTokens = cachedTokens
  }

  get pendingTokens(): number {
    return this.start.ids.length - this.promptTokens
  }

  get exhausted(): boolean {
    return this.last?.finished === true
  }
}

export interface OnnxEngineOptions {
  readonly contextLength: number
  readonly maxSequences: number
  readonly chunkTokens: number
  /** Bytes of the model's tensors. */
  readonly weightBytes: number
}

/**
 * Runs sequences on a graph of ONNX Runtime, one after the other. Each has keys and values of its own. Those of the sequence
 * that ended last are kept, so that a conversation goes on where it was. Ids are drawn on the host.
 */
export class OnnxEngine implements Engine {
  readonly config: ModelConfig
  readonly contextLength: number
  readonly maxSequences: number
  readonly chunkTokens: number
  readonly stepsUnderWay = 1
  readonly #files: OnnxModelFiles
  readonly #runner: GraphRunner
  readonly #maker: PastMaker
  readonly #slots: (OnnxSlot | undefined)[]
  readonly #prefixes = new Set<AdapterHandle>()
  readonly #weightBytes: number
  #kept: Cached | undefined

  constructor(files: OnnxModelFiles, runner: GraphRunner, maker: PastMaker, options: OnnxEngineOptions) {
    this.config = files.config
    this.contextLength = options.contextLength
    this.maxSequences = options.maxSequences
    this.chunkTokens = options.chunkTokens
    this.#weightBytes = options.weightBytes
    this.#files = files
    this.#runner = runner
    this.#maker = maker
    this.#slots = new Array<OnnxSlot | undefined>(options.maxSequences).fill(undefined)
  }

  /** Bytes of a row of keys and values. */
  get #rowBytes(): number {
    const { layers, kvGroups, headDim } = this.config
    return 2 * layers * kvGroups * headDim * (this.#files.element === 'float16' ? 2 : 4)
  }

  get cacheUsed(): number {
    const cached = [...this.#slots.map((slot) => slot?.cached), this.#kept]
    const rows = cached.reduce((sum, one) => sum + (one ? (one.prefix?.length ?? 0) + one.ids.length : 0), 0)
    return rows * this.#rowBytes
  }

  get memory(): Engine['memory'] {
    const { layers, kvGroups, headDim } = this.config
    const prefixRows = [...this.#prefixes].reduce((sum, { length }) => sum + length, 0)
    const prefixes = prefixRows * 2 * layers * kvGroups * headDim * 4
    return { weights: this.#weightBytes, cache: this.cacheUsed, prefixes, activations: 0 }
  }

  available(prefix: AdapterHandle | undefined): number {
    const rows = this.#files.rotation?.rows ?? Number.POSITIVE_INFINITY
    return Math.max(0, Math.min(this.contextLength, rows - (prefix?.length ?? 0)))
  }

  /** Takes a prefix that was loaded for this engine. */
  adopt(prefix: HostPrefix): void {
    this.#prefixes.add(prefix)
  }

  owns(prefix: AdapterHandle): boolean {
    return this.#prefixes.has(prefix)
  }

  open(start: SequenceStart): Slot | undefined {
    const index = this.#slots.indexOf(undefined)
    if (index < 0) return undefined
    const { ids, prefixStrength, sampling, stopIds, positionLimit, likeliest = 0 } = start
    if (prefixStrength < 1 && !this.#files.weighsRows) {
      throw invalidOption(
        'prefixStrength',
        prefixStrength,
        '0 or 1: this graph cannot weigh the rows of a prefix',
      )
    }
    const logitBias = Object.entries(sampling.logitBias).map(([id, bias]) => [Number(id), bias] as const)
    const sampler = new HostSampler(ids, this.config.vocabulary, positionLimit - ids.length, {
      ...sampling,
      logitBias,
      stopIds,
      likeliest,
    })
    const common = this.#commonWithKept(start)
    const slot = new OnnxSlot(index, start, sampler, common)
    if (common > 0) {
      slot.cached = this.#kept
      this.#kept = undefined
    }
    this.#slots[index] = slot
    return slot
  }

  /** Leading ids of a prompt that are kept from the last sequence; one is always left to compute. */
  #commonWithKept({ ids, prefix, prefixStrength, fresh }: SequenceStart): number {
    const kept = this.#kept
    if (!kept || fresh || kept.prefix !== prefix || kept.prefixStrength !== prefixStrength) return 0
    const most = Math.min(kept.ids.length, ids.length - 1)
    let common = 0
    while (common < most && kept.ids[common] === ids[common]) common++
    return common
  }

  reserve(): boolean {
    return true
  }

  prepare(): undefined {
    return undefined
  }

  run(step: Step): StepOutput {
    const rows = this.#runner.inTurn(async () => {
      const outputs: SampledId[] = []
      for (const slot of step.rows) outputs.push(await this.#row(slot as OnnxSlot, step.masks?.get(slot)))
      return outputs
    })
    const chunks = rows.then(() =>
      this.#runner.inTurn(async () => {
        const outputs: ChunkOutput[] = []
        for (const chunk of step.chunks) outputs.push(await this.#chunk(chunk, step.masks?.get(chunk.slot)))
        return outputs
      }),
    )
    return { rows, chunks }
  }

  async #row(slot: OnnxSlot, mask: Uint32Array | undefined): Promise<SampledId> {
    const fed = slot.last?.id
    if (slot.closed || slot.exhausted || fed === undefined) {
      return {
        id: undefined,
        logProbability: 0,
        finished: true,
        notFinite: false,
        allBanned: false,
        generated: slot.last?.generated ?? 0,
      }
    }
    const logits = await this.#compute(slot, [fed], true)
    slot.last = slot.sampler.next(logits!, mask)
    return slot.last
  }

  async #chunk(
    { slot: given, count, logits: wantsLogits, scores: wantsScores }: Chunk,
    mask: Uint32Array | undefined,
  ): Promise<ChunkOutput> {
    const slot = given as OnnxSlot
    if (slot.closed) return {}
    const { ids, likeliest = 0 } = slot.start
    const first = slot.promptTokens
    const part = ids.slice(first, first + count)
    const ends = first + part.length === ids.length
    const wantsAll = wantsLogits === true || wantsScores === true
    const logits = await this.#compute(slot, part, wantsAll || ends)
    slot.promptTokens += part.length
    if (!logits) return {}
    const { vocabulary } = this.config
    const rowOf = (row: number) => logits.subarray(row * vocabulary, (row + 1) * vocabulary)
    if (wantsLogits) return { logits: logits.slice() }
    if (wantsScores) {
      return { scores: part.map((_, row) => rowScores(rowOf(row), ids[first + row + 1], likeliest)) }
    }
    slot.last = slot.sampler.next(rowOf(part.length - 1), mask)
    return { sampled: slot.last }
  }

  /** Computes ids behind those of a slot. @returns f32 [ids.length, vocabulary], where wanted */
  async #compute(
    slot: OnnxSlot,
    ids: readonly number[],
    wantsLogits: boolean,
  ): Promise<Float32Array | undefined> {
    const { prefix, prefixStrength } = slot.start
    slot.cached ??= {
      prefix,
      prefixStrength,
      ids: [],
      past: this.#maker.begin(prefix as HostPrefix | undefined),
    }
    const { cached } = slot
    const prefixLength = prefix?.length ?? 0
    if (slot.promptTokens < slot.start.ids.length && cached.ids.length > slot.promptTokens) {
      cached.past = await this.#maker.truncate(cached.past, prefixLength + slot.promptTokens)
      cached.ids.length = slot.promptTokens
    }
    const position = cached.ids.length
    const { past, logits } = await this.#runner.run(
      { ids, position, prefixLength, prefixStrength, past: cached.past },
      wantsLogits,
    )
    cached.past = past
    cached.ids.push(...ids)
    return logits
  }

  close(slot: Slot, spoiled = false): void {
    const state = slot as OnnxSlot
    state.closed = true
    this.#slots[state.index] = undefined
    // Steps under way may still compute it.
    this.#runner.inTurn(async () => {
      if (!state.cached) return
      this.#drop(spoiled ? state.cached : this.#kept)
      if (!spoiled) this.#kept = state.cached
      state.cached = undefined
    })
  }

  async suspend(): Promise<SuspendedSequence> {
    throw new TypeError('Sequences of this engine never wait for each other.')
  }

  resume(): undefined {
    return undefined
  }

  forget(): void {
    this.#drop(this.#kept)
    this.#kept = undefined
  }

  release(prefix: AdapterHandle): void {
    if (this.#kept?.prefix === prefix) this.forget()
    this.#prefixes.delete(prefix)
  }

  #drop(cached: Cached | undefined): void {
    for (const tensor of Object.values(cached?.past ?? {})) tensor.dispose()
  }
}

/** What a row of logits says of the id that follows. */
function rowScores(logits: Float32Array, target: number | undefined, likeliest: number): RowScores {
  const allFinite = logits.every(Number.isFinite)
  return {
    logProbability: target === undefined || !allFinite ? Number.NaN : logProbability(logits, target),
    likeliest: allFinite ? likeliestIds(logits, likeliest) : [],
  }
}
