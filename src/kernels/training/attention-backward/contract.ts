import type { BufferRange } from '../../../gpu/index.js'
import type { TrainingAttentionBuffers, TrainingAttentionConstants } from '../../common/training-attention.js'

export interface AttentionBackwardConstants extends TrainingAttentionConstants {
  /** Computes the prefix's gradient alone: for the lowest layer, whose input nobody asks about. */
  readonly prefixOnly: boolean
}

export interface AttentionBackwardBuffers extends TrainingAttentionBuffers {
  /** Gradient of y, f32 [maxRows, heads * headDim]. */
  readonly dy: GPUBuffer
  /** Gradient of qkv in its layout, overwritten; left alone where `prefixOnly`. */
  readonly dqkv: GPUBuffer
  /** Gradient of the prefix in its layout, added to. */
  readonly dprefix: BufferRange
  /** What lies between the dispatches. */
  readonly scratch: GPUBuffer
}
