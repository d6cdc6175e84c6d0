import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { type LinearBuffers, type LinearConstants, linearSpecialization } from '../../common/linear.js'
import { weightBindings, weightReader } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import source from './matmul-int8.wgsl?raw'
import type { QuantizedActivations } from './quantize-activations.js'
import q4Source from './weight-q4.wgsl?raw'
import q8Source from './weight-q8.wgsl?raw'

const SOURCES = { q4: q4Source, q8: q8Source }

/** As of every matrix product, with activations of 8 bits in place of x. */
export type MatmulInt8Buffers = Omit<LinearBuffers, 'x'> & QuantizedActivations

/** How a workgroup is laid out: each invocation has four rows and eight outputs. */
function threads(gpu: Gpu): { threadRows: number; threadOutputs: number } {
  const threadOutputs = gpu.software ? 4 : 16
  return { threadRows: gpu.workgroupSize(256) / threadOutputs, threadOutputs }
}

/** Whether a weight is quantized, in groups that fit into the workgroup memory of this GPU. */
export function canRunMatmulInt8(gpu: Gpu, { format }: Pick<LinearConstants, 'format'>): boolean {
  if (format.type === 'f16') return false
  const { threadRows, threadOutputs } = threads(gpu)
  const words = (format.groupSize / 4) * (threadRows + 2 * threadOutputs) + 2 * 2 * threadOutputs
  return words * 16 <= gpu.limits.maxComputeWorkgroupStorageSize
}

/**
 * Compiles the matrix product y (+)= x * w^T (+ bias) for many rows of activations rounded to 8 bits, by
 * `compileQuantizeActivations` for the weight's format.
 * @throws `option.kernel-argument` for a dense weight, or columns that do not divide into groups
 */
export async function compileMatmulInt8(
  gpu: Gpu,
  constants: LinearConstants,
): Promise<Kernel<MatmulInt8Buffers>> {
  const { format, inFeatures, outFeatures, maxRows } = constants
  if (format.type === 'f16') throw kernelArgument('matmul-int8', 'the weight is not quantized')
  const reader = weightReader('matmul-int8', format, inFeatures)
  const { threadRows, threadOutputs } = threads(gpu)
  const { u32, bool } = linearSpecialization(constants)
  const pipeline = await gpu.compile('matmul-int8', [SOURCES[format.type], source], {
    u32: {
      ...reader.u32,
      ...u32,
      MAX_ROWS: maxRows,
      THREAD_ROWS: threadRows,
      THREAD_OUTPUTS: threadOutputs,
    },
    bool,
  })
  const tilesOfOutputs = Math.ceil(outFeatures / (8 * threadOutputs))
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => [
      ...weightBindings(buffers),
      buffers.words,
      buffers.ranges,
      buffers.bias ?? gpu.empty,
      buffers.y,
    ],
    (rows) => [Math.ceil(rows / (4 * threadRows)), tilesOfOutputs, 1],
  )
}
