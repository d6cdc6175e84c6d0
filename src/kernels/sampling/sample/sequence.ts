import { KernelArgumentError } from '../../errors.js'

/** The row gives out no more ids. */
export const FLAG_FINISHED = 1
/** The row was finished by a NaN or an infinity among its logits. */
export const FLAG_NOT_FINITE = 2
/** The row was finished because every id was banned. */
export const FLAG_ALL_BANNED = 4
/** In outputs only: the row had finished before this step, and the entry holds no id. */
export const FLAG_IDLE = 8

/** 32-bit words of `Sequence` in state.wgsl. */
export const SEQUENCE_WORDS = 6

/** 32-bit words of a row's entry in a line of the output ring. */
export const OUTPUT_WORDS = 4

export interface SequenceStart {
  /** Of the random numbers, a u32: the same seed gives the same ids on the same adapter, in whatever row. */
  readonly seed: number
  /** Positions below this may hold an id. The row finishes with the id that would need the position at the limit. */
  readonly positionLimit: number
  /** How many ids the host has put into the row's history; see `historyWords`. */
  readonly historyLength?: number
}

/** The contents of the `sequences` buffer for rows that start to generate. */
export function sequenceWords(rows: readonly SequenceStart[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(rows.length * SEQUENCE_WORDS)
  rows.forEach(({ seed, positionLimit, historyLength = 0 }, row) => {
    words.set([seed, 0, 0, 0, positionLimit, historyLength], row * SEQUENCE_WORDS)
  })
  return words
}

/**
 * The start of one row's `history`: the last ids of the prompt, as far as the ring holds them.
 * The row's `historyLength` is then the length of what is returned.
 * @param capacity HISTORY_CAPACITY of the kernels
 */
export function historyWords(promptIds: readonly number[], capacity: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(promptIds.slice(-capacity))
}

/** What one step put out for one row. */
export interface SampledId {
  /** The id, or undefined where the step had none: the row had finished, or failed. */
  readonly id: number | undefined
  /** Log probability of the id in nats, under the logits without temperature, penalties and bans. */
  readonly logProbability: number
  readonly finished: boolean
  /** The row failed because its logits held a NaN or an infinity. */
  readonly notFinite: boolean
  /** The row failed because every id was banned. */
  readonly allBanned: boolean
  /** Number of the step, counted from 0 for every row, with the ring line `step % RING_STEPS`. */
  readonly step: number
}

/**
 * Reads a row's entry of one line of the output ring.
 * @param line u32 [rows, 4]
 * @throws KernelArgumentError when the line does not hold the row
 */
export function readOutput(line: Uint32Array<ArrayBuffer>, row: number): SampledId {
  const start = row * OUTPUT_WORDS
  if (start + OUTPUT_WORDS > line.length) throw new KernelArgumentError('sample', `no row ${row} in the line`)
  const [id, , flags, step] = line.subarray(start, start + OUTPUT_WORDS)
  const hasId = (flags & (FLAG_IDLE | FLAG_NOT_FINITE | FLAG_ALL_BANNED)) === 0
  return {
    id: hasId ? id : undefined,
    logProbability: new Float32Array(line.buffer, line.byteOffset + (start + 1) * 4, 1)[0],
    finished: (flags & FLAG_FINISHED) !== 0,
    notFinite: (flags & FLAG_NOT_FINITE) !== 0,
    allBanned: (flags & FLAG_ALL_BANNED) !== 0,
    step,
  }
}
