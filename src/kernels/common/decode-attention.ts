import type { Gpu } from '../../gpu/index.js'
import type { HeadShape } from './heads.js'
import { laneReduction } from './reduce.js'

/** How many parts the cache of a long sequence is split into at most: the same for both kernels. */
export interface AttentionSplits {
  readonly splits: number
}

/** Parts that occupy a large GPU where there is one row, and that are enough where there are many. */
const [MOST_SPLITS, LEAST_SPLITS] = [64, 16]

/** The splits for a step of so many rows: together they occupy the GPU. */
export function attentionSplits(rows: number): number {
  return Math.max(LEAST_SPLITS, Math.floor(MOST_SPLITS / rows))
}

/** Results of the splits, between the two kernels. */
export interface AttentionParts {
  /** f32 [rows, heads, splits, headDim] */
  readonly parts: GPUBuffer
  /** vec2<f32> [rows, heads, splits]: highest score, sum of weights. */
  readonly statistics: GPUBuffer
}

/** Bytes of the results of splits. */
export function attentionPartsBytes(
  { heads, headDim }: HeadShape,
  rows: number,
  { splits }: AttentionSplits,
) {
  return { parts: rows * heads * splits * headDim * 4, statistics: rows * heads * splits * 8 }
}

/** The workgroup of the splitting kernel: its lanes are the rows of a tile, which both kernels must know. */
export function splitReduction(gpu: Gpu) {
  return laneReduction(gpu, gpu.workgroupSize(256))
}
