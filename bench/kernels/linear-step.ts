import {
  canRunLinearHalves,
  compileLinearHalves,
  compileLinearStepDots,
  type Dispatch,
  halfTileWords,
  linearReference,
  packHalves,
  STEP_DOTS_MAX_ROWS,
  unpackHalves,
  type WeightBuffers,
  type WeightFormat,
} from '../common/internals.js'
import { randomSource } from '../common/random.js'
import type { CaseShapes, KernelCase, KernelFamily } from './kernel-case.js'
import { type LinearShape, layerShapes, outputShape, weightBytes } from './linear.js'
import { randomActivations } from './quantized-activations.js'
import { relativeError, samples, type Workshop } from './workshop.js'

const SAMPLED_OUTPUTS = 24
const SAMPLED_ROWS = 3
/** Room for the sums of workgroups that share a product: more than any needs. */
const PARTS_BYTES = 64 * 2 ** 20

/** The input of a product in some form: how it is bound, and the numbers of a row. */
interface Product {
  bind(label: string, weight: WeightBuffers, y: GPUBuffer): Dispatch[]
  row(row: number): Promise<ArrayLike<number>>
}

interface StepKernel extends Pick<KernelCase, 'kernel' | 'unit' | 'tolerance'> {
  /** Bytes of an element of the input. */
  readonly bytes: number
  prepare(workshop: Workshop, shape: LinearShape, groupSize: number, rows: number): Promise<Product>
}

const DOTS: StepKernel = {
  kernel: 'linear-step-dots',
  unit: 'int8',
  tolerance: 1e-4,
  bytes: 1,
  async prepare(workshop, { inFeatures, outFeatures }, groupSize, rows) {
    const constants = { groupSize, inFeatures, outFeatures, output: { kind: 'store' }, rows } as const
    const kernel = await compileLinearStepDots(workshop.gpu, constants)
    const { buffers: input, values } = randomActivations(workshop, rows * inFeatures, 1)
    return {
      bind: (label, weight, y) => kernel.bind(label, { weight, input, output: { y } }),
      row: async (row) => Float64Array.from({ length: inFeatures }, (_, i) => values[row * inFeatures + i]),
    }
  },
}

const MATRICES: StepKernel = {
  kernel: 'linear-halves',
  unit: 'matrix',
  tolerance: 5e-3,
  bytes: 2,
  async prepare(workshop, { inFeatures, outFeatures }, groupSize, rows) {
    const constants = {
      groupSize,
      inFeatures,
      outFeatures,
      output: { kind: 'store' },
      maxRows: rows,
      partsBytes: PARTS_BYTES,
    } as const
    const kernel = await compileLinearHalves(workshop.gpu, constants)
    const random = randomSource(1)
    const values = unpackHalves(
      packHalves(Float32Array.from({ length: rows * inFeatures }, () => random() - 0.5)),
      rows * inFeatures,
    )
    const x = workshop.uploaded('x', halfTileWords(values, inFeatures))
    const parts = workshop.filled('parts', PARTS_BYTES, { kind: 'poison' })
    return {
      bind: (label, weight, y) => kernel.bind(label, { weight, x, parts, output: { y } }),
      row: async (row) => values.subarray(row * inFeatures, (row + 1) * inFeatures),
    }
  },
}

function stepCase(shapes: CaseShapes, shape: LinearShape, rows: number, kernel: StepKernel): KernelCase {
  const { inFeatures, outFeatures } = shape
  const { groupSize } = shapes
  const format: WeightFormat = { type: 'q4', groupSize }
  const weight = weightBytes(format, inFeatures * outFeatures)
  return {
    ...kernel,
    variant: `q4 g${groupSize}`,
    shape: `${shape.name}: ${rows} x ${inFeatures} x ${outFeatures}`,
    bytes: weight + rows * (inFeatures * kernel.bytes + outFeatures * 4),
    operations: 2 * rows * inFeatures * outFeatures,
    async prepare(workshop) {
      const product = await kernel.prepare(workshop, shape, groupSize, rows)
      const y = workshop.filled('y', rows * outFeatures * 4, { kind: 'poison' })
      const weights = Array.from({ length: workshop.sets(weight) }, () =>
        workshop.weight(format, outFeatures, inFeatures),
      )
      return {
        sets: weights.map((one) => product.bind(shape.name, one, y)),
        rows,
        error: async () => {
          const actual: number[] = []
          const expected: number[] = []
          const outputs = samples(outFeatures, SAMPLED_OUTPUTS)
          for (const row of samples(rows, SAMPLED_ROWS)) {
            const input = await product.row(row)
            const values = await workshop.readFloats(y, row * outFeatures, outFeatures)
            for (const output of outputs) {
              const line = await workshop.readWeightRow(weights[0], format, output, inFeatures)
              actual.push(values[output])
              expected.push(linearReference(input, line, inFeatures)[0])
            }
          }
          return relativeError(actual, expected)
        },
      }
    },
  }
}

/** The matrix products of a step of several sequences, and of short and long chunks of prompts, as the runtime builds them for so many rows. */
export const stepLinear: KernelFamily = (gpu, shapes) => {
  const rowCounts = [2, 4, 8, 16, 32, 64, 128, 512]
  const kernels = (rows: number) => [
    ...(rows <= STEP_DOTS_MAX_ROWS ? [DOTS] : []),
    ...(rows >= STEP_DOTS_MAX_ROWS && canRunLinearHalves(gpu) ? [MATRICES] : []),
  ]
  return [...layerShapes(shapes), outputShape(shapes)].flatMap((shape) =>
    rowCounts.flatMap((rows) => kernels(rows).map((kernel) => stepCase(shapes, shape, rows, kernel))),
  )
}
