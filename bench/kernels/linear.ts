import {
  activationWidths,
  LAYER_PRODUCTS,
  type LinearBuffers,
  linearReference,
  type WeightFormat,
} from '../common/internals.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { DECODE_KERNELS, type LinearKernel, prefillKernels } from './linear-kernels.js'
import { relativeError, samples, type Workshop } from './workshop.js'

/** One of the model's matrix products. */
export interface LinearShape {
  readonly name: string
  readonly inFeatures: number
  readonly outFeatures: number
  readonly hasBias?: boolean
  readonly accumulate?: boolean
}

/** The matrix products of a layer. */
export function layerShapes(shapes: CaseShapes): LinearShape[] {
  const widths = activationWidths(shapes)
  return LAYER_PRODUCTS.map(({ weight, bias, x, y, adds }) => ({
    name: weight === 'gateUp' ? 'gate, up' : weight,
    inFeatures: widths[x],
    outFeatures: widths[y],
    hasBias: bias !== undefined,
    accumulate: adds,
  }))
}

/** The matrix product behind the last layer. */
export function outputShape({ hidden, vocabulary }: CaseShapes): LinearShape {
  return { name: 'output', inFeatures: hidden, outFeatures: vocabulary }
}

/** Bytes of `count` elements of a weight. */
export function weightBytes(format: WeightFormat, count: number): number {
  if (format.type === 'f16') return count * 2
  return (count * (format.type === 'q4' ? 4 : 8)) / 8 + (count / format.groupSize) * 4
}

const SAMPLED_ROWS = 3
const SAMPLED_OUTPUTS = 24

/** y (+)= x w^T (+ bias) at sampled rows and outputs, in float64. */
async function checkLinear(
  workshop: Workshop,
  kernel: LinearKernel,
  { inFeatures, outFeatures }: LinearShape,
  format: WeightFormat,
  rows: number,
  buffers: LinearBuffers & Readonly<Record<'x' | 'y', GPUBuffer>>,
  residual: readonly Float32Array[],
): Promise<number> {
  const outputs = samples(outFeatures, SAMPLED_OUTPUTS)
  const bias = buffers.bias && (await workshop.readHalves(buffers.bias, 0, outFeatures))
  const weights = new Float64Array(outputs.length * inFeatures)
  for (const [i, output] of outputs.entries()) {
    weights.set(await workshop.readWeightRow(buffers, format, output, inFeatures), i * inFeatures)
  }
  const actual: number[] = []
  const expected: number[] = []
  for (const [i, row] of samples(rows, SAMPLED_ROWS).entries()) {
    const x = await workshop.readFloats(buffers.x, row * inFeatures, inFeatures)
    const y = await workshop.readFloats(buffers.y, row * outFeatures, outFeatures)
    const input = kernel.rounding?.(x, format) ?? x
    const products = linearReference(
      input,
      weights,
      inFeatures,
      bias && outputs.map((output) => bias[output]),
    )
    for (const [j, output] of outputs.entries()) {
      actual.push(y[output])
      expected.push(products[j] + (residual[i]?.[output] ?? 0))
    }
  }
  return relativeError(actual, expected)
}

function linearCase(
  kernel: LinearKernel,
  shape: LinearShape,
  format: WeightFormat,
  rows: number,
): KernelCase {
  const { inFeatures, outFeatures, hasBias = false, accumulate = false } = shape
  const count = inFeatures * outFeatures
  const weight = weightBytes(format, count)
  const group = 'groupSize' in format ? ` g${format.groupSize}` : ''
  return {
    kernel: kernel.kernel,
    variant: `${format.type}${group}`,
    shape: `${shape.name}: ${rows} x ${inFeatures} x ${outFeatures}`,
    bytes: weight + rows * (inFeatures + outFeatures * (accumulate ? 2 : 1)) * 4,
    operations: 2 * rows * count,
    unit: kernel.unit,
    tolerance: kernel.tolerance,
    async prepare(workshop) {
      const constants = {
        format,
        inFeatures,
        outFeatures,
        outStride: outFeatures,
        outOffset: 0,
        hasBias,
        accumulate,
        maxRows: rows,
      }
      const product = await kernel.compile(workshop, constants)
      const x = workshop.floats('x', rows * inFeatures)
      const y = workshop.floats('y', rows * outFeatures)
      const bias = hasBias ? { bias: workshop.halves('bias', outFeatures) } : {}
      const all = Array.from({ length: workshop.sets(weight) }, () => ({
        ...workshop.weight(format, outFeatures, inFeatures),
        ...bias,
        x,
        y,
      }))
      const residual: Float32Array[] = []
      if (accumulate) {
        for (const row of samples(rows, SAMPLED_ROWS)) {
          residual.push(await workshop.readFloats(y, row * outFeatures, outFeatures))
        }
      }
      return {
        sets: all.map((buffers) => product.bind(shape.name, buffers)),
        rows,
        poison: () => {
          if (!accumulate) workshop.refill(y, { kind: 'poison' })
        },
        error: () => checkLinear(workshop, kernel, shape, format, rows, all[0], residual),
      }
    },
  }
}

function cases(
  kernel: LinearKernel,
  shapes: readonly LinearShape[],
  rowCounts: readonly number[],
  groupSize: number,
): KernelCase[] {
  return kernel.formats.flatMap((type) => {
    const format: WeightFormat = type === 'f16' ? { type } : { type, groupSize }
    return shapes.flatMap((shape) => rowCounts.map((rows) => linearCase(kernel, shape, format, rows)))
  })
}

/** Kernels for a decode step: one row. */
export const decodeLinear: KernelFamily = (_gpu, shapes) =>
  DECODE_KERNELS.flatMap((kernel) =>
    cases(kernel, [...layerShapes(shapes), outputShape(shapes)], [1], shapes.groupSize),
  )

/** Kernels for prefill: chunks of rows. */
export const prefillLinear: KernelFamily = (gpu, shapes) =>
  prefillKernels(gpu).flatMap((kernel) => cases(kernel, layerShapes(shapes), shapes.chunks, shapes.groupSize))
