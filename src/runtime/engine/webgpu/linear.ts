import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  compileMatmul,
  compileMatmulInt8,
  compileMatmulSubgroup,
  compileMatvec,
  compileQuantizeActivations,
  type LinearConstants,
  MATVEC_MAX_ROWS,
  type QuantizedActivations,
  type QuantizedFormat,
  quantizedActivationBytes,
} from '../../../kernels/index.js'
import type { LinearShape, LinearWeight, ModelShape, WeightSlice } from '../../model/index.js'
import type { VariantOf } from '../variants/variants.js'

/** A variant of the product for many rows. */
export type Product = VariantOf<'prefillProduct'>

/** What a matrix product is computed with. */
export interface LinearContext {
  readonly gpu: Gpu
  /** For more than `MATVEC_MAX_ROWS` rows; fewer have a kernel of their own. */
  readonly product: Product
  /** Activations in 8 bits on their way into a product, from `allocateQuantized`; needed by the product `int8`. */
  readonly quantized?: QuantizedActivations | undefined
}

/** The same product without rounding activations to 8 bits. */
export function floatProduct(gpu: Gpu, product: Product): Product {
  if (product !== 'int8') return product
  return gpu.f16 ? 'float16' : 'float32'
}

/** Room for the activations in 8 bits of any product of a model: one at a time is on its way. */
export function allocateQuantized(
  gpu: Gpu,
  { layers, output }: ModelShape,
  maxRows: number,
): QuantizedActivations {
  const all = [output, ...layers.flatMap(({ qkv, dense, gateUp, down }) => [qkv, dense, gateUp, down])]
  const bytes = all.map(({ inFeatures, slices: [{ format }] }: LinearShape) =>
    format.type === 'f16' ? { words: 0, ranges: 0 } : quantizedActivationBytes(format, inFeatures, maxRows),
  )
  const most = (part: 'words' | 'ranges') => Math.max(...bytes.map((sizes) => sizes[part]))
  return {
    words: gpu.allocate('activations', 'prefill in 8 bits', most('words')),
    ranges: gpu.allocate('activations', 'prefill scales', most('ranges')),
  }
}

function constantsOf(weight: LinearWeight, slice: WeightSlice, accumulate: boolean): LinearConstants {
  return {
    format: slice.format,
    inFeatures: weight.inFeatures,
    outFeatures: slice.rows,
    outStride: weight.outFeatures,
    outOffset: slice.firstRow,
    hasBias: weight.bias !== undefined,
    accumulate,
  }
}

/** The product with activations as they are, for so many rows. */
function compileFloat(gpu: Gpu, product: Product, constants: LinearConstants, rows: number) {
  // On a software adapter the kernel for many rows is faster for few ones, too.
  if (rows <= MATVEC_MAX_ROWS && !gpu.software) return compileMatvec(gpu, constants, rows)
  const float = floatProduct(gpu, product)
  if (float === 'subgroup-matrix') return compileMatmulSubgroup(gpu, constants, rows)
  return compileMatmul(gpu, constants, rows, float === 'float16' ? 'f16' : 'f32')
}

/** y (+)= x * w^T (+ bias), for so many rows. */
export interface LinearOperands {
  readonly weight: LinearWeight
  readonly rows: number
  readonly x: GPUBuffer
  readonly y: GPUBuffer
  /** Adds to y, which holds the residual. */
  readonly accumulate?: boolean
}

/** Rounds x to 8 bits once, and multiplies it with every slice. */
async function buildInt8(
  gpu: Gpu,
  format: QuantizedFormat,
  quantized: QuantizedActivations,
  { weight, rows, x, y, accumulate = false }: LinearOperands,
): Promise<Dispatch[]> {
  const [quantize, ...products] = await Promise.all([
    compileQuantizeActivations(gpu, format, weight.inFeatures, rows),
    ...weight.slices.map(async (slice) => {
      const multiply = await compileMatmulInt8(gpu, constantsOf(weight, slice, accumulate), rows)
      const bias = weight.bias && { bias: weight.bias }
      return multiply(weight.name, { ...slice.buffers, ...quantized, y, ...bias })
    }),
  ])
  return [quantize(`${weight.name}, input in 8 bits`, { x, ...quantized }), ...products]
}

/** The dispatches of a product: one for each slice of the weight, behind the rounding of x where that is needed. */
export async function buildLinear(
  { gpu, product, quantized }: LinearContext,
  operands: LinearOperands,
): Promise<Dispatch[]> {
  const { weight, rows, x, y, accumulate = false } = operands
  const { format } = weight.slices[0]
  if (product === 'int8' && quantized && rows > MATVEC_MAX_ROWS && format.type !== 'f16') {
    return buildInt8(gpu, format, quantized, operands)
  }
  return Promise.all(
    weight.slices.map(async (slice) => {
      const bind = await compileFloat(gpu, product, constantsOf(weight, slice, accumulate), rows)
      return bind(weight.name, { ...slice.buffers, x, y, ...(weight.bias && { bias: weight.bias }) })
    }),
  )
}
