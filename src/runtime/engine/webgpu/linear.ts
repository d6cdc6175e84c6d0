import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  compileMatmul,
  compileMatmulInt8,
  compileMatmulSubgroup,
  compileMatvec,
  compileQuantizeActivations,
  fastestMatmul,
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

function constantsOf(
  { weight, rows, accumulate = false }: LinearOperands,
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

/** The product with activations as they are. */
function compileFloat(gpu: Gpu, product: Product, constants: LinearConstants) {
  // On a software adapter the kernel for many rows is faster for few ones, too.
  if (constants.maxRows <= MATVEC_MAX_ROWS && !gpu.software) return compileMatvec(gpu, constants)
  const float = floatProduct(gpu, product)
  if (float === 'subgroup-matrix') return compileMatmulSubgroup(gpu, constants)
  const element = float === 'float16' ? 'f16' : 'f32'
  return compileMatmul(gpu, constants, { ...fastestMatmul(gpu), element })
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
  operands: LinearOperands,
): Promise<Dispatch[]> {
  const { weight, rows: maxRows, x, y } = operands
  const [quantize, ...products] = await Promise.all([
    compileQuantizeActivations(gpu, { format, inFeatures: weight.inFeatures, maxRows }),
    ...weight.slices.map(async (slice) => {
      const multiply = await compileMatmulInt8(gpu, constantsOf(operands, slice))
      const bias = weight.bias && { bias: weight.bias }
      return multiply.bind(weight.name, { ...slice.buffers, ...quantized, y, ...bias })
    }),
  ])
  return [...quantize.bind(`${weight.name}, input in 8 bits`, { x, ...quantized }), ...products.flat()]
}

/** The dispatches of a product: one for each slice of the weight, behind the rounding of x where that is needed. */
export async function buildLinear(
  { gpu, product, quantized }: LinearContext,
  operands: LinearOperands,
): Promise<Dispatch[]> {
  const { weight, rows, x, y } = operands
  const { format } = weight.slices[0]
  if (product === 'int8' && quantized && rows > MATVEC_MAX_ROWS && format.type !== 'f16') {
    return buildInt8(gpu, format, quantized, operands)
  }
  const products = await Promise.all(
    weight.slices.map(async (slice) => {
      const kernel = await compileFloat(gpu, product, constantsOf(operands, slice))
      return kernel.bind(weight.name, { ...slice.buffers, x, y, ...(weight.bias && { bias: weight.bias }) })
    }),
  )
  return products.flat()
}
