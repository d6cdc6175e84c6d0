import type { Gpu } from '../../gpu/index.js'
import { laneReduction } from './reduce.js'

/** Parts that a long sequence's cache is split into at most: enough to occupy a large GPU. */
export const ATTENTION_SPLITS = 64

/** Results of the splits, between the two kernels. */
export interface AttentionParts {
  /** f32 [rows, heads, ATTENTION_SPLITS, headDim] */
  readonly parts: GPUBuffer
  /** vec2<f32> [rows, heads, ATTENTION_SPLITS]: highest score, sum of weights. */
  readonly statistics: GPUBuffer
}

/** The workgroup of the splitting kernel: its lanes are the rows of a tile, which both kernels must know. */
export function splitReduction(gpu: Gpu) {
  return laneReduction(gpu, gpu.workgroupSize(256))
}
