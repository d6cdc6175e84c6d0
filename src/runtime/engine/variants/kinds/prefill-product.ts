import type { Dispatch, Gpu } from '../../../../gpu/index.js'
import {
  canRunMatmulInt8,
  canRunMatmulSubgroup,
  compileMatmul,
  compileMatmulInt8,
  compileMatmulSubgroup,
  compileQuantizeActivations,
  type Kernel,
  type LinearBuffers,
  type LinearConstants,
  type QuantizedActivations,
  type QuantizedFormat,
} from '../../../../kernels/index.js'
import { type LinearShape, productsOf } from '../../../model/index.js'
import { type Activations, buildProducts, type ForwardContext } from '../../webgpu/forward.js'
import { type BuildLinear, buildSlices, type LinearOperands, sliceConstants } from '../../webgpu/linear.js'
import {
  rounding,
  type Trial,
  unless,
  type VariantEntry,
  type VariantKind,
  type VariantSetting,
} from '../kind.js'

/** What products for many rows are computed with. */
export interface ManyRowsContext {
  readonly gpu: Gpu
  /** Activations in 8 bits on their way into a product, from `allocateQuantized`; needed by `int8`. */
  readonly quantized: QuantizedActivations | undefined
}

type Build = (context: ManyRowsContext, operands: LinearOperands) => Promise<Dispatch[]>
export type ManyRowsProduct = 'subgroup-matrix' | 'int8' | 'float16' | 'float32'

/** Compiles the products of all layers, of which the first layer's are measured. */
export async function tryProducts(
  context: ForwardContext,
  activations: Activations,
  product: BuildLinear,
): Promise<Trial> {
  const layers = context.weights.layers.map((_, index) => buildProducts(context, index, activations, product))
  return { rows: activations.maxRows, dispatches: (await Promise.all(layers))[0] }
}

function entry(needs: NonNullable<VariantEntry<Build>['needs']>, build: Build): VariantEntry<Build> {
  const trial: VariantEntry<Build>['trial'] = ({ context, prefill, quantized }) =>
    tryProducts(context, prefill, (operands) => build({ gpu: context.gpu, quantized }, operands))
  return { needs, build, trial }
}

/** A product of activations as they are. */
const withFloats =
  (compile: (gpu: Gpu, constants: LinearConstants) => Promise<Kernel<LinearBuffers>>): Build =>
  ({ gpu }, operands) =>
    buildSlices(gpu, operands, compile)

/** In tiles; on a software adapter, which gains nothing from them, every invocation computes its outputs alone. */
const tiled = (element: 'f16' | 'f32') =>
  withFloats((gpu, constants) => compileMatmul(gpu, constants, { element, alone: gpu.software }))

const float16 = tiled('f16')
const float32 = tiled('f32')

/** The same product without rounding activations to 8 bits. */
export function withoutRounding(gpu: Gpu, product: ManyRowsProduct): ManyRowsProduct {
  if (product !== 'int8') return product
  return gpu.f16 ? 'float16' : 'float32'
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
      const multiply = await compileMatmulInt8(gpu, sliceConstants(operands, slice))
      const bias = weight.bias && { bias: weight.bias }
      return multiply.bind(weight.name, { ...slice.buffers, ...quantized, y, ...bias })
    }),
  ])
  return [...quantize.bind(`${weight.name}, input in 8 bits`, { x, ...quantized }), ...products.flat()]
}

/** The formats of the matrices of all layers. */
function formats({ shape }: VariantSetting) {
  return shape.layers.flatMap(productsOf<LinearShape>).map(({ slices: [{ format }] }) => format)
}

/**
 * Matrix products of prompts, for many rows: on subgroup matrices of f16; on integer dot products, with activations
 * rounded to 8 bits; or tiled, with tiles of f16 or f32.
 */
export const PREFILL_PRODUCT: VariantKind<ManyRowsProduct, VariantEntry<Build>> = {
  unit: 'ms a layer',
  firstOnSoftware: 'float32',
  entries: {
    'subgroup-matrix': entry(
      (setting) =>
        unless(
          formats(setting).every((format) => canRunMatmulSubgroup(setting.gpu, { format })),
          'shader-f16, subgroup matrices of f16 with f32 sums, and 20 kB of workgroup memory',
        ),
      withFloats(compileMatmulSubgroup),
    ),
    int8: entry(
      (setting) => {
        const quantized = formats(setting).filter(({ type }) => type !== 'f16')
        return (
          rounding(setting) ??
          unless(quantized.length > 0, 'quantized weights') ??
          unless(
            quantized.every((format) => canRunMatmulInt8(setting.gpu, { format })),
            'more workgroup memory for groups of this size',
          )
        )
      },
      (context, operands) => {
        const { gpu, quantized } = context
        const { format } = operands.weight.slices[0]
        if (!quantized || format.type === 'f16') return (gpu.f16 ? float16 : float32)(context, operands)
        return buildInt8(gpu, format, quantized, operands)
      },
    ),
    float16: entry(({ gpu }) => unless(gpu.f16, 'shader-f16'), float16),
    float32: entry(() => undefined, float32),
  },
}
