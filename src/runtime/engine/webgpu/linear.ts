import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  type Kernel,
  type LinearBuffers,
  type LinearConstants,
  type QuantizedActivations,
  quantizedActivationBytes,
} from '../../../kernels/index.js'
import { allProducts, type LinearWeight, type ModelShape, type WeightSlice } from '../../model/index.js'

/** y (+)= x * w^T (+ bias), for so many rows. */
export interface LinearOperands {
  readonly weight: LinearWeight
  readonly rows: number
  readonly x: GPUBuffer
  readonly y: GPUBuffer
  /** Adds to y, which holds the residual. */
  readonly accumulate: boolean
}

/** Gives the dispatches of a product. */
export type BuildLinear = (operands: LinearOperands) => Promise<Dispatch[]>

/** Room for the activations in 8 bits of any product of a model: one at a time is on its way. */
export function allocateQuantized(gpu: Gpu, shape: ModelShape, maxRows: number): QuantizedActivations {
  const bytes = allProducts(shape).map(({ inFeatures, slices: [{ format }] }) =>
    format.type === 'f16' ? { words: 0, ranges: 0 } : quantizedActivationBytes(format, inFeatures, maxRows),
  )
  const most = (part: 'words' | 'ranges') => Math.max(...bytes.map((sizes) => sizes[part]))
  return {
    words: gpu.allocate('activations', 'prefill in 8 bits', most('words')),
    ranges: gpu.allocate('activations', 'prefill scales', most('ranges')),
  }
}

/** What a kernel is compiled for that multiplies with one slice of a weight. */
export function sliceConstants(
  { weight, rows, accumulate }: LinearOperands,
  slice: WeightSlice,
): LinearConstants {
  return {
    format: slice.format,
    inFeatures: weight.inFeatures,
    outFeatures: slice.rows,
    outStride: weight.outFeatures,
    outOffset: slice.firstRow,
    hasBias: weight.bias !== undefined,
    accumulate,
    maxRows: rows,
  }
}

/** The dispatches of a product that takes activations as they are: one for each slice of the weight. */
export async function buildSlices(
  gpu: Gpu,
  operands: LinearOperands,
  compile: (gpu: Gpu, constants: LinearConstants) => Promise<Kernel<LinearBuffers>>,
): Promise<Dispatch[]> {
  const { weight, x, y } = operands
  const bias = weight.bias && { bias: weight.bias }
  const products = weight.slices.map(async (slice) => {
    const kernel = await compile(gpu, sliceConstants(operands, slice))
    return kernel.bind(weight.name, { ...slice.buffers, x, y, ...bias })
  })
  return (await Promise.all(products)).flat()
}
