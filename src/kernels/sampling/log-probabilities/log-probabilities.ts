import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import orderedSource from '../sample/ordered.wgsl?raw'
import source from './log-probabilities.wgsl?raw'

export interface LogProbabilitiesConstants {
  /** Logits in a row. */
  readonly vocabulary: number
}

export interface LogProbabilitiesBuffers {
  /** f32 [rows, vocabulary] */
  readonly logits: GPUBuffer
  /** u32 [rows], `NO_TARGET` where a row has none. */
  readonly targets: GPUBuffer
  /** Output, u32 [rows, LOG_PROBABILITY_WORDS]; see `readLogProbabilities`. */
  readonly outputs: GPUBuffer
}

/** How many of the likeliest ids of a row are put out, and can be asked for. */
export const MOST_LIKELIEST = 20
/** 32-bit words of a row's output. */
export const LOG_PROBABILITY_WORDS = 1 + 2 * MOST_LIKELIEST
/** Where the target of a row would be, if it had one. */
export const NO_TARGET = 0xffff_ffff

/** An id, and how likely it is. */
export interface LikelyId {
  readonly id: number
  /** Natural logarithm of its probability. */
  readonly logProbability: number
}

/** What a row of logits says. */
export interface RowScores {
  /** Natural logarithm of the probability of the row's target; NaN without one, and where a logit is not finite. */
  readonly logProbability: number
  /** The likeliest ids, the likeliest first. */
  readonly likeliest: readonly LikelyId[]
}

/** Compiles the log-probabilities of rows of logits: of a target of each, and of its likeliest ids. */
export async function compileLogProbabilities(
  gpu: Gpu,
  { vocabulary }: LogProbabilitiesConstants,
): Promise<Kernel<LogProbabilitiesBuffers>> {
  if (vocabulary < 1) throw kernelArgument('log-probabilities', `vocabulary ${vocabulary} is below 1`)
  // One workgroup reads a whole row, as in the sampler; the tree of sums wants a power of two.
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX } = gpu.limits
  const most = Math.min(1024, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupSizeX)
  const lanes = 2 ** Math.floor(Math.log2(most))
  const pipeline = await gpu.compile('log-probabilities', [orderedSource, source], {
    u32: { VOCAB: vocabulary, TOP: MOST_LIKELIEST, WORKGROUP_SIZE: gpu.workgroupSize(lanes) },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ logits, targets, outputs }) => [logits, targets, outputs],
    (rows) => [rows, 1, 1],
  )
}

/**
 * Reads a row's output.
 * @param outputs u32 [rows, LOG_PROBABILITY_WORDS]
 * @param count how many of the likeliest ids to give, up to `MOST_LIKELIEST`
 */
export function readLogProbabilities(
  outputs: Uint32Array<ArrayBuffer>,
  row: number,
  count: number,
): RowScores {
  const words = outputs.subarray(row * LOG_PROBABILITY_WORDS, (row + 1) * LOG_PROBABILITY_WORDS)
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length)
  const likeliest: LikelyId[] = []
  for (let at = 1; at < 1 + 2 * count && words[at] !== NO_TARGET; at += 2) {
    likeliest.push({ id: words[at], logProbability: floats[at + 1] })
  }
  return { logProbability: floats[0], likeliest }
}
