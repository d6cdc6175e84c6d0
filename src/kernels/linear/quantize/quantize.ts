import { flatWorkgroups, type Gpu } from '../../../gpu/index.js'
import halfSource from '../../common/half.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './quantize.wgsl?raw'

export interface QuantizeConstants {
  /** How the source's elements are stored. */
  readonly sourceType: 'f32' | 'f16' | 'bf16'
  readonly bits: 4 | 8
  /** Elements along a row that share a scale and a bias. */
  readonly groupSize: 32 | 64
  /** Elements in a row, a multiple of groupSize. */
  readonly columns: number
}

export interface QuantizeBuffers {
  /** Input [rows, columns], as in a checkpoint: little-endian, two to a word but for f32. */
  readonly source: GPUBuffer
  /** Rows of this run, u32 [1]. */
  readonly block: GPUBuffer
  /** Output, u32 [rows, columns * bits / 32]. */
  readonly weight: GPUBuffer
  /** Output, f16 [rows, columns / groupSize], rounded up to whole words. */
  readonly scales: GPUBuffer
  /** Output, f16 [rows, columns / groupSize], rounded up to whole words. */
  readonly biases: GPUBuffer
  /** Counts to which the run adds, u32 [2]: elements not finite (taken for 0), elements beyond f16's range. */
  readonly problems: GPUBuffer
}

/** Lanes that work on a group: one for each range that is tried. */
const GROUP_LANES = 16

/**
 * Compiles the quantization of float rows to w = scale * q + bias, with a search for the scale and bias of least
 * squared error in each group.
 * @throws `option.kernel-argument` where the columns do not divide into groups
 */
export async function compileQuantize(
  gpu: Gpu,
  { sourceType, bits, groupSize, columns }: QuantizeConstants,
): Promise<Kernel<QuantizeBuffers>> {
  if (columns < 1 || columns % groupSize !== 0) {
    throw kernelArgument('quantize', `${columns} columns do not divide into groups of ${groupSize}`)
  }
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('quantize', [halfSource, source], {
    u32: {
      WORKGROUP_SIZE: workgroupSize,
      BITS: bits,
      GROUP_SIZE: groupSize,
      COLUMNS: columns,
    },
    bool: { SOURCE_F32: sourceType === 'f32', SOURCE_BF16: sourceType === 'bf16' },
  })
  const groupsPerWorkgroup = workgroupSize / GROUP_LANES
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => [
      buffers.source,
      buffers.block,
      buffers.weight,
      buffers.scales,
      buffers.biases,
      buffers.problems,
    ],
    (rows) => flatWorkgroups(Math.ceil((rows * columns) / groupSize / groupsPerWorkgroup)),
  )
}
