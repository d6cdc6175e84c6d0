import type { BufferRange, Gpu } from '../../gpu/index.js'
import type { ScratchKernel } from './kernel.js'
import type { WeightBuffers, WeightFormat } from './weight.js'

/** What a product with a transposed weight, dx (+)= dy * w, is compiled for: the backward pass of y = x * w^T. */
export interface TransposedConstants {
  readonly format: WeightFormat
  readonly inFeatures: number
  /** Rows of the weight, or of this slice of it. */
  readonly outFeatures: number
  /** Columns of dy; more than `outFeatures` where the weight is a slice. */
  readonly outStride: number
  /** The column of dy where this slice's rows begin. */
  readonly outOffset: number
  /** Adds to dx instead of overwriting it. All slices of a weight add to the same dx: all but the first need it. */
  readonly accumulate: boolean
  /** Rows that dy and dx have room for. */
  readonly maxRows: number
}

export interface TransposedBuffers extends WeightBuffers {
  /** Gradient of the product's output, f32 [rows, outStride]. */
  readonly dy: BufferRange
  /** Gradient of its input, f32 [rows, inFeatures]. */
  readonly dx: BufferRange
  /** What lies between the dispatches of the product; only where `scratchBytes` is not 0. */
  readonly scratch?: GPUBuffer
}

/** Compiles a product with a transposed weight. */
export type CompileTransposed = (
  gpu: Gpu,
  constants: TransposedConstants,
) => Promise<ScratchKernel<TransposedBuffers>>
