import type { ComputeUnit } from '../ceilings/units.js'
import {
  compileMatmul,
  compileMatmulInt8,
  compileMatmulSubgroup,
  compileMatvec,
  compileQuantizeActivations,
  type Gpu,
  halfMatrixShape,
  type Kernel,
  type LinearBuffers,
  type LinearConstants,
  quantizeActivationsReference,
  quantizedActivationBytes,
  type WeightFormat,
} from '../common/internals.js'
import type { Workshop } from './workshop.js'

/** What compiles a matrix product y (+)= x * w^T (+ bias), with the buffers it needs in between. */
export type CompileLinear = (workshop: Workshop, constants: LinearConstants) => Promise<Kernel<LinearBuffers>>

/** A kernel for matrix products. */
export interface LinearKernel {
  readonly kernel: string
  readonly compile: CompileLinear
  readonly formats: readonly WeightFormat['type'][]
  readonly unit: ComputeUnit
  readonly tolerance: number
  /** What is left of the input where the kernel rounds it further than its tolerance. */
  readonly rounding?: (x: ArrayLike<number>, format: WeightFormat) => ArrayLike<number>
}

const F32_TOLERANCE = 1e-5
/** Factors rounded to f16. */
const F16_TOLERANCE = 5e-3
/** An input right between two 8-bit steps may round either way. */
const INT8_TOLERANCE = 5e-3

/** Activations are rounded to 8 bits first; a call is both dispatches. */
const compileInt8: CompileLinear = async (workshop, constants) => {
  const { gpu } = workshop
  const { format, inFeatures, maxRows } = constants
  if (format.type === 'f16') throw new Error('matmul-int8 multiplies by quantized weights only')
  const bytes = quantizedActivationBytes(format, inFeatures, maxRows)
  const activations = {
    words: workshop.filled('words', bytes.words, { kind: 'poison' }),
    ranges: workshop.filled('ranges', bytes.ranges, { kind: 'poison' }),
  }
  const quantize = await compileQuantizeActivations(gpu, { format, inFeatures, maxRows })
  const multiply = await compileMatmulInt8(gpu, constants)
  return {
    bind: (label, { x, ...buffers }) => [
      ...quantize.bind(`${label} quantize`, { x, ...activations }),
      ...multiply.bind(label, { ...buffers, ...activations }),
    ],
  }
}

/** For one row. */
export const DECODE_KERNELS: readonly LinearKernel[] = [
  {
    kernel: 'matvec',
    compile: ({ gpu }, constants) => compileMatvec(gpu, constants),
    formats: ['q4', 'q8', 'f16'],
    unit: 'f32',
    tolerance: F32_TOLERANCE,
  },
]

/** For many rows. */
export function prefillKernels(gpu: Gpu): LinearKernel[] {
  const kernels: LinearKernel[] = [
    {
      kernel: 'matmul',
      compile: (_, constants) =>
        compileMatmul(gpu, constants, { element: gpu.f16 ? 'f16' : 'f32', alone: gpu.software }),
      formats: ['q4', 'q8', 'f16'],
      unit: 'f32',
      tolerance: gpu.f16 ? F16_TOLERANCE : F32_TOLERANCE,
    },
    {
      kernel: 'matmul-int8',
      compile: compileInt8,
      formats: ['q4', 'q8'],
      unit: 'int8',
      tolerance: INT8_TOLERANCE,
      rounding: (x, format) =>
        'groupSize' in format ? quantizeActivationsReference(x, format.groupSize) : x,
    },
  ]
  if (halfMatrixShape(gpu)) {
    kernels.push({
      kernel: 'matmul-subgroup',
      compile: (_, constants) => compileMatmulSubgroup(gpu, constants),
      formats: ['q4', 'q8', 'f16'],
      unit: 'matrix',
      tolerance: F16_TOLERANCE,
    })
  }
  return kernels
}
