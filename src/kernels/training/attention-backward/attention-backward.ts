import type { Dispatch } from '../../../gpu/dispatch.js'
import type { BufferRange, Gpu } from '../../../gpu/gpu.js'
import {
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  trainsOnSubgroupMatrices,
} from '../../common/training-attention.js'
import { compileSubgroupBackward } from './subgroup.js'
import { compileTiledBackward } from './tiled.js'

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

/**
 * Compiles the backward pass of `compileAttentionTraining`, on subgroup matrices where `trainsOnSubgroupMatrices`, else in
 * f32. Nothing in it depends on the order in which invocations run: the same input gives the same gradient to the bit.
 * @throws KernelArgumentError for heads that do not divide into groups, or are no multiple of 4 wide
 */
export function compileAttentionBackward(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
): Promise<AttentionBackward> {
  return trainsOnSubgroupMatrices(gpu, constants)
    ? compileSubgroupBackward(gpu, constants)
    : compileTiledBackward(gpu, constants)
}
