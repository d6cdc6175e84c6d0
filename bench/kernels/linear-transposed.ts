import {
  type CompileTransposed,
  compileMatmulTransposed,
  compileMatmulTransposedSubgroup,
  halfMatrixShape,
  linearTransposedReference,
  unpackHalves,
  type WeightBuffers,
  type WeightFormat,
} from '../common/internals.js'
import type { KernelCase, KernelFamily } from './kernel-case.js'
import { type LinearShape, layerShapes, weightBytes } from './linear.js'
import { relativeError, samples, type Workshop } from './workshop.js'

/** A kernel for the gradient of a matrix product's input. */
interface TransposedKernel extends Pick<KernelCase, 'kernel' | 'unit' | 'tolerance'> {
  readonly compile: CompileTransposed
  readonly formats: readonly WeightFormat['type'][]
}

const PORTABLE: TransposedKernel = {
  kernel: 'matmul-transposed',
  unit: 'f32',
  tolerance: 1e-5,
  compile: (gpu, constants) => compileMatmulTransposed(gpu, constants, { alone: gpu.software }),
  formats: ['q4'],
}

const ON_MATRICES: TransposedKernel = {
  kernel: 'matmul-transposed-subgroup',
  unit: 'matrix',
  tolerance: 5e-3,
  compile: compileMatmulTransposedSubgroup,
  formats: ['q4', 'q8', 'f16'],
}

const SAMPLED_ROWS = 3
/** Of gradients, which are far smaller than activations. */
const DEVIATION = 1e-6

/** The last `count` columns of a weight as numbers, [outFeatures, count]; no more than a group's. */
async function lastColumns(
  workshop: Workshop,
  { weight, scales, biases }: WeightBuffers,
  format: WeightFormat,
  { inFeatures, outFeatures }: LinearShape,
  count: number,
): Promise<Float64Array> {
  const bits = { f16: 16, q4: 4, q8: 8 }[format.type]
  const words = new Uint32Array(await workshop.gpu.read(weight, 0, (outFeatures * inFeatures * bits) / 8))
  const groups = 'groupSize' in format ? inFeatures / format.groupSize : 0
  const [scale, bias] = await Promise.all(
    [scales, biases].map((buffer) => buffer && workshop.readHalves(buffer, 0, outFeatures * groups)),
  )
  const columns = new Float64Array(outFeatures * count)
  for (let output = 0; output < outFeatures; output++) {
    for (let i = 0; i < count; i++) {
      const bit = ((output + 1) * inFeatures - count + i) * bits
      const q = (words[Math.floor(bit / 32)] >>> (bit % 32)) & (2 ** bits - 1)
      const group = (output + 1) * groups - 1
      columns[output * count + i] =
        scale && bias ? scale[group] * q + bias[group] : unpackHalves(new Uint32Array([q]), 1)[0]
    }
  }
  return columns
}

/** dx at sampled rows, for the last columns, in float64. */
async function checkTransposed(
  workshop: Workshop,
  shape: LinearShape,
  format: WeightFormat,
  rows: number,
  buffers: WeightBuffers & { readonly dy: GPUBuffer; readonly dx: GPUBuffer },
): Promise<number> {
  const { inFeatures, outFeatures } = shape
  const count = 'groupSize' in format ? format.groupSize : 8
  const columns = await lastColumns(workshop, buffers, format, shape, count)
  const errors: number[] = []
  for (const row of samples(rows, SAMPLED_ROWS)) {
    const dy = await workshop.readFloats(buffers.dy, row * outFeatures, outFeatures)
    const dx = await workshop.readFloats(buffers.dx, (row + 1) * inFeatures - count, count)
    errors.push(relativeError(dx, linearTransposedReference(dy, columns, count)))
  }
  return Math.max(...errors)
}

function transposedCase(
  kernel: TransposedKernel,
  shape: LinearShape,
  format: WeightFormat,
  rows: number,
): KernelCase {
  const { inFeatures, outFeatures } = shape
  const weight = weightBytes(format, inFeatures * outFeatures)
  const group = 'groupSize' in format ? ` g${format.groupSize}` : ''
  return {
    kernel: kernel.kernel,
    variant: `${format.type}${group}`,
    shape: `${shape.name}: ${rows} x ${outFeatures} x ${inFeatures}`,
    bytes: weight + rows * (inFeatures + outFeatures) * 4,
    operations: 2 * rows * inFeatures * outFeatures,
    unit: kernel.unit,
    tolerance: kernel.tolerance,
    async prepare(workshop) {
      const constants = {
        format,
        inFeatures,
        outFeatures,
        outStride: outFeatures,
        outOffset: 0,
        accumulate: false,
        maxRows: rows,
      }
      const product = await kernel.compile(workshop.gpu, constants)
      const dy = workshop.floats('dy', rows * outFeatures, DEVIATION)
      const dx = workshop.filled('dx', rows * inFeatures * 4, { kind: 'poison' })
      const scratch = workshop.filled('scratch', product.scratchBytes, { kind: 'poison' })
      const all = Array.from({ length: workshop.sets(weight) }, () => ({
        ...workshop.weight(format, outFeatures, inFeatures),
        dy,
        dx,
        scratch,
      }))
      return {
        sets: all.map((buffers) => product.bind(shape.name, buffers)),
        rows,
        error: () => checkTransposed(workshop, shape, format, rows, all[0]),
      }
    },
  }
}

/** The products of a layer's backward pass. */
export const transposedLinear: KernelFamily = (gpu, shapes) => {
  const kernels = halfMatrixShape(gpu) ? [PORTABLE, ON_MATRICES] : [PORTABLE]
  return kernels.flatMap((kernel) =>
    kernel.formats.flatMap((type) => {
      const format: WeightFormat = type === 'f16' ? { type } : { type, groupSize: shapes.groupSize }
      return layerShapes(shapes).flatMap((shape) =>
        shapes.chunks.map((rows) => transposedCase(kernel, shape, format, rows)),
      )
    }),
  )
}
