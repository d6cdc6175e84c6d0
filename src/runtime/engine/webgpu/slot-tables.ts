import { invalidOption } from '../../../errors/index.js'
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  bannedSequenceWords,
  compileBanSequences,
  compileLogProbabilities,
  compilePenalize,
  compileSample,
  countWords,
  historyWords,
  LOG_PROBABILITY_WORDS,
  logitBiasFloats,
  MAX_STOP_IDS,
  maskWords,
  NO_TARGET,
  OUTPUT_WORDS,
  ROW_WORDS,
  SAMPLING_PARAMETER_WORDS,
  SEQUENCE_WORDS,
  samplingParameterWords,
  sequenceWords,
} from '../../../kernels/index.js'
import type { SequenceStart } from '../engine.js'
import type { ForcedRow } from './forced-rows.js'

/** Ids that a slot remembers to recognise banned sequences; longer sequences are refused. */
const HISTORY_CAPACITY = 64
/** Words of a slot's table of banned sequences. */
const BANNED_CAPACITY = 2 ** 14

/** What a slot's tables are written from, checked. */
export interface SlotContents {
  readonly banned: Uint32Array<ArrayBuffer>
  readonly logitBias: Float32Array<ArrayBuffer> | undefined
  readonly parameters: Uint32Array<ArrayBuffer>
}

/** Sizes of the tables. */
export interface SlotTableSizes {
  readonly vocabulary: number
  /** Sequences that have a slot at once. */
  readonly slots: number
  /** Rows that are sampled at once. */
  readonly maxRows: number
}

/**
 * What belongs to a sequence on the GPU, by its slot: how it samples, its biases, bans and stop ids, what it has generated,
 * and its next row. The kernels of sampling read it for the rows of a step, and advance it themselves, so that the next
 * step needs nothing from the host.
 */
export class SlotTables {
  /** vec4<u32> [maxRows]: (token, slot, position, prefix length) of each row of the next step. */
  readonly rows: GPUBuffer
  /** f32 [maxRows, vocabulary] */
  readonly logits: GPUBuffer
  /** u32 [maxRows, OUTPUT_WORDS]: what each row of the last step gave. */
  readonly outputs: GPUBuffer
  /** u32 [maxRows, LOG_PROBABILITY_WORDS]: the likeliest ids of each row, where they were wanted. */
  readonly likeliest: GPUBuffer

  readonly #gpu: Gpu
  readonly #vocabulary: number
  readonly #scores: GPUBuffer
  readonly #counts: GPUBuffer
  readonly #logitBias: GPUBuffer
  readonly #banned: GPUBuffer
  readonly #history: GPUBuffer
  readonly #sequences: GPUBuffer
  readonly #parameters: GPUBuffer
  readonly #masks: GPUBuffer
  /** u32 [maxRows]: the ids whose log-probabilities are wanted; that of what is sampled is in `outputs`. */
  readonly #targets: GPUBuffer

  constructor(gpu: Gpu, { vocabulary, slots, maxRows }: SlotTableSizes) {
    this.#gpu = gpu
    this.#vocabulary = vocabulary
    const words = (label: string, count: number) => gpu.allocate('activations', label, count * 4)
    this.rows = words('decode rows', maxRows * ROW_WORDS)
    this.logits = words('logits', maxRows * vocabulary)
    this.outputs = words('sampled ids', maxRows * OUTPUT_WORDS)
    this.likeliest = words('likeliest ids', maxRows * LOG_PROBABILITY_WORDS)
    this.#targets = words('no targets', maxRows)
    gpu.device.queue.writeBuffer(this.#targets, 0, new Uint32Array(maxRows).fill(NO_TARGET))
    this.#scores = words('scores', maxRows * vocabulary)
    this.#counts = words('counts', slots * vocabulary)
    this.#logitBias = words('logit bias', slots * vocabulary)
    this.#banned = words('banned sequences', slots * BANNED_CAPACITY)
    this.#history = words('history', slots * HISTORY_CAPACITY)
    this.#sequences = words('sequences', slots * SEQUENCE_WORDS)
    this.#parameters = words('sampling parameters', slots * SAMPLING_PARAMETER_WORDS)
    this.#masks = words('masks', slots * maskWords(vocabulary))
  }

  /** The dispatches from logits to the next ids. */
  async build(): Promise<Dispatch[]> {
    const gpu = this.#gpu
    const sizes = { vocabulary: this.#vocabulary, historyCapacity: HISTORY_CAPACITY }
    const [penalize, ban, sample] = await Promise.all([
      compilePenalize(gpu, sizes),
      compileBanSequences(gpu, { ...sizes, bannedCapacity: BANNED_CAPACITY }),
      compileSample(gpu, sizes),
    ])
    const buffers = {
      rows: this.rows,
      logits: this.logits,
      outputs: this.outputs,
      scores: this.#scores,
      counts: this.#counts,
      logitBias: this.#logitBias,
      banned: this.#banned,
      history: this.#history,
      sequences: this.#sequences,
      parameters: this.#parameters,
      masks: this.#masks,
    }
    return [
      ...penalize.bind('penalize', buffers),
      ...ban.bind('ban sequences', buffers),
      ...sample.bind('sample', buffers),
    ]
  }

  /** The dispatches from logits to the likeliest ids, for steps in which somebody wants them. */
  async buildLikeliest(): Promise<Dispatch[]> {
    const kernel = await compileLogProbabilities(this.#gpu, { vocabulary: this.#vocabulary })
    return kernel.bind('likeliest ids', {
      logits: this.logits,
      targets: this.#targets,
      outputs: this.likeliest,
    })
  }

  /**
   * Checks what a sequence asks of its slot, and writes nothing.
   * @throws `option.invalid` for more stop ids or banned sequences than there is room for
   */
  check({ sampling, stopIds, constrained = false }: SequenceStart): SlotContents {
    if (stopIds.length > MAX_STOP_IDS) {
      throw invalidOption('stopIds', `${stopIds.length} ids`, `at most ${MAX_STOP_IDS}`)
    }
    const tooLong = sampling.bannedIds.find((ids) => ids.length > HISTORY_CAPACITY)
    if (tooLong) {
      throw invalidOption('bannedIds', `${tooLong.length} ids long`, `at most ${HISTORY_CAPACITY} ids`)
    }
    // Single ids need no history, and there may be thousands of them.
    const single = sampling.bannedIds.filter((ids) => ids.length === 1)
    const sequences = sampling.bannedIds.filter((ids) => ids.length > 1)
    const sizes = { vocabulary: this.#vocabulary, historyCapacity: HISTORY_CAPACITY }
    const banned = bannedSequenceWords(sequences, sizes)
    if (banned.length > BANNED_CAPACITY) {
      throw invalidOption('bannedIds', `${banned.length} words`, `at most ${BANNED_CAPACITY} in all`)
    }
    const given = Object.entries(sampling.logitBias).map(([id, bias]) => [Number(id), bias] as const)
    const biases = [...given, ...single.map(([id]) => [id, Number.NEGATIVE_INFINITY] as const)]
    const biased = biases.length > 0
    return {
      banned,
      logitBias: biased ? logitBiasFloats(biases, this.#vocabulary) : undefined,
      parameters: samplingParameterWords({ ...sampling, stopIds, biased, constrained }),
    }
  }

  /**
   * Sets the tables of a slot whose sequence starts, or goes on.
   * @param generated what it has generated so far, in order; the last is fed next
   */
  write(slot: number, start: SequenceStart, contents: SlotContents, generated: readonly number[]): void {
    const { queue } = this.#gpu.device
    this.#writeGenerated(slot, start, generated)
    queue.writeBuffer(this.#parameters, slot * SAMPLING_PARAMETER_WORDS * 4, contents.parameters)
    queue.writeBuffer(this.#banned, slot * BANNED_CAPACITY * 4, contents.banned)
    this.#writeCounts(slot, start, generated)
    const line = slot * this.#vocabulary * 4
    if (contents.logitBias) queue.writeBuffer(this.#logitBias, line, contents.logitBias)
  }

  /** Sets what a slot has generated, where ids were forced: as `write`, but nothing else has changed. */
  writeForced(slot: number, start: SequenceStart, generated: readonly number[]): void {
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = start.sampling
    this.#writeGenerated(slot, start, generated)
    // A line of the vocabulary's size, which only penalties read.
    if (repetitionPenalty === 1 && presencePenalty === 0 && frequencyPenalty === 0) return
    this.#writeCounts(slot, start, generated)
  }

  #writeGenerated(slot: number, start: SequenceStart, generated: readonly number[]): void {
    const { queue } = this.#gpu.device
    const { ids, prefix, sampling, positionLimit } = start
    const history = historyWords(generated, HISTORY_CAPACITY)
    const last = generated.at(-1)
    // The sampler puts the id it draws at the position behind the one given here.
    const position = ids.length - 1 + generated.length
    const sequence = sequenceWords({
      row: [last ?? 0, slot, position, prefix?.length ?? 0],
      seed: sampling.seed >>> 0,
      positionLimit,
      generated: generated.length,
      // The ring goes on where it would be if it had been filled from its start.
      historyLength: history.length,
    })
    queue.writeBuffer(this.#sequences, slot * SEQUENCE_WORDS * 4, sequence)
    queue.writeBuffer(this.#history, slot * HISTORY_CAPACITY * 4, history)
  }

  #writeCounts(slot: number, { ids }: SequenceStart, generated: readonly number[]): void {
    const counts = countWords(ids, generated, this.#vocabulary)
    this.#gpu.device.queue.writeBuffer(this.#counts, slot * this.#vocabulary * 4, counts)
  }

  /** Sets rows of forced ids, behind so many others, and the ids whose log-probabilities are wanted there. */
  writeForcedRows(first: number, forced: readonly ForcedRow[]): void {
    const { queue } = this.#gpu.device
    const rows = forced.flatMap(({ slot, prefixLength, id, position }) => [
      id,
      slot.index,
      position,
      prefixLength,
    ])
    queue.writeBuffer(this.rows, first * ROW_WORDS * 4, new Uint32Array(rows))
    queue.writeBuffer(
      this.#targets,
      first * 4,
      Uint32Array.from(forced, ({ target }) => target),
    )
  }

  /** Sets the ids that may come next in a constrained slot; a step that was submitted before does not see it. */
  writeMask(slot: number, mask: Uint32Array<ArrayBuffer>): void {
    const words = maskWords(this.#vocabulary)
    this.#gpu.device.queue.writeBuffer(this.#masks, slot * words * 4, mask, 0, words)
  }

  /** Copies the rows of slots into the rows of the next step. */
  encodeRows(encoder: GPUCommandEncoder, slots: readonly number[]): void {
    slots.forEach((slot, row) => {
      encoder.copyBufferToBuffer(
        this.#sequences,
        slot * SEQUENCE_WORDS * 4,
        this.rows,
        row * ROW_WORDS * 4,
        ROW_WORDS * 4,
      )
    })
  }
}
