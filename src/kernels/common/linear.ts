import type { BufferRange, Gpu } from '../../gpu/index.js'
import { type WeightBuffers, type WeightFormat, weightBindings } from './weight.js'

/** What a matrix product y (+)= x * w^T (+ bias) is compiled for. */
export interface LinearConstants {
  readonly format: WeightFormat
  readonly inFeatures: number
  /** Rows of the weight, or of this slice of it. */
  readonly outFeatures: number
  /** Columns of y; more than `outFeatures` where the weight is a slice. */
  readonly outStride: number
  /** The column of y where this slice's outputs begin. */
  readonly outOffset: number
  readonly hasBias: boolean
  /** Adds to y, which holds the residual, instead of overwriting it. */
  readonly accumulate: boolean
  /** Rows that x and y have room for. */
  readonly maxRows: number
}

export interface LinearBuffers extends WeightBuffers {
  /** Input, f32 [rows, inFeatures]. */
  readonly x: BufferRange
  /** f16 [outStride]; bound only where the product has a bias. */
  readonly bias?: GPUBuffer
  /** Output, f32 [rows, outStride]. */
  readonly y: BufferRange
}

/** The buffers of all matrix products, from binding 0 on. */
export function linearBindings(gpu: Gpu, buffers: LinearBuffers): (BufferRange | undefined)[] {
  return [...weightBindings(buffers), buffers.x, buffers.bias ?? gpu.empty, buffers.y]
}

/** The part of the prelude that all matrix products share. */
export function linearSpecialization(constants: LinearConstants) {
  return {
    u32: { OUT: constants.outFeatures, OUT_STRIDE: constants.outStride, OUT_OFFSET: constants.outOffset },
    bool: { HAS_BIAS: constants.hasBias, ACCUMULATE: constants.accumulate },
  }
}
