import { kernelArgument } from '../../errors.js'
import type { LikelyId } from '../log-probabilities/log-probabilities.js'

/** The row gives out no more ids. */
export const FLAG_FINISHED = 1
/** The row was finished by a NaN or an infinity among its logits. */
export const FLAG_NOT_FINITE = 2
/** The row was finished because every id was banned. */
export const FLAG_ALL_BANNED = 4
/** In outputs only: the row had finished before this step, and the entry holds no id. */
export const FLAG_IDLE = 8

/** 32-bit words of `Sequence` in state.wgsl, which begins with the slot's row. */
export const SEQUENCE_WORDS = 12

/** 32-bit words of a row: token, slot, position, prefix length. */
export const ROW_WORDS = 4

/** 32-bit words of a row's output. */
export const OUTPUT_WORDS = 4

export interface SequenceStart {
  /** (token, slot, position, prefix length) of its next step; the sampler moves token and position on. */
  readonly row: readonly [token: number, slot: number, position: number, prefixLength: number]
  /** Of the random numbers, a u32: the same seed gives the same ids on the same adapter, in whatever row and slot. */
  readonly seed: number
  /** Positions below this may hold an id. The sequence finishes with the id that would need the position at the limit. */
  readonly positionLimit: number
  /** How many ids it has generated already, where it goes on. */
  readonly generated?: number
  /** How many ids the host has put into the slot's history; see `historyWords`. */
  readonly historyLength?: number
}

/** A slot's entry of the `sequences` buffer. */
export function sequenceWords(start: SequenceStart): Uint32Array<ArrayBuffer> {
  const { row, seed, positionLimit, generated = 0, historyLength = 0 } = start
  const words = new Uint32Array(SEQUENCE_WORDS)
  words.set([...row, seed, generated, 0, positionLimit, historyLength])
  return words
}

/**
 * The start of a slot's `history`: the last of some ids, as far as the ring holds them. The slot's `historyLength` is then the
 * length of what is returned.
 * @param capacity HISTORY_CAPACITY of the kernels
 */
export function historyWords(ids: readonly number[], capacity: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(ids.slice(-capacity))
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
  /** Ids that the sequence has generated, this one included. */
  readonly generated: number
  /** The ids with the highest logits of the model, the likeliest first, where they were wanted. */
  readonly likeliest?: readonly LikelyId[]
}

/**
 * Reads a row's output.
 * @param outputs u32 [rows, 4]
 * @throws `option.kernel-argument` when they do not hold the row
 */
export function readOutput(outputs: Uint32Array<ArrayBuffer>, row: number): SampledId {
  const start = row * OUTPUT_WORDS
  if (start + OUTPUT_WORDS > outputs.length) throw kernelArgument('sample', `no output of row ${row}`)
  const [id, , flags, generated] = outputs.subarray(start, start + OUTPUT_WORDS)
  const hasId = (flags & (FLAG_IDLE | FLAG_NOT_FINITE | FLAG_ALL_BANNED)) === 0
  return {
    id: hasId ? id : undefined,
    logProbability: new Float32Array(outputs.buffer, outputs.byteOffset + (start + 1) * 4, 1)[0],
    finished: (flags & FLAG_FINISHED) !== 0,
    notFinite: (flags & FLAG_NOT_FINITE) !== 0,
    allBanned: (flags & FLAG_ALL_BANNED) !== 0,
    generated,
  }
}
