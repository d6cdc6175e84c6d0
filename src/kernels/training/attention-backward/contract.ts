import type { BufferRange, Dispatch } from '../../../gpu/index.js'
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

/** The backward pass of attention, compiled for its constants. */
export interface AttentionBackward {
  /** Bytes of scratch; what is in it does not matter, and layers one after the other can share it. */
  readonly scratchBytes: number
  /** The dispatches, in order. */
  bind(label: string, buffers: AttentionBackwardBuffers): readonly Dispatch[]
}
