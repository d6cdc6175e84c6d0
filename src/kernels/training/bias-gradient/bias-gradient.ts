import type { BufferRange, Gpu } from '../../../gpu/index.js'
import type { ScratchKernel } from '../../common/kernel.js'
import { BLOCK_ROWS, compileSumParts, type RowBlocksConstants, rowBlocks } from '../../common/sum-parts.js'
import source from './bias-gradient.wgsl?raw'

export interface BiasGradientBuffers {
  /** Gradient of the output that the bias was added to, f32 [maxRows, width]. */
  readonly dy: BufferRange
  /** u32 [1]: rows of dy that count, at most maxRows; those behind them are not read. */
  readonly rows: BufferRange
  /** f32 [1]: what the gradient is multiplied by before it is added. */
  readonly scale: GPUBuffer
  /** Gradient of the bias, f32 [width], added to. */
  readonly db: GPUBuffer
  /** At least scratchBytes; what it holds is of no use afterwards. */
  readonly scratch: GPUBuffer
}

/**
 * Compiles the gradient of a bias, db[i] += scale * sum_r dy[r, i]. The order of additions is always the same.
 * @throws `option.kernel-argument` where a size is out of range
 */
export async function compileBiasGradient(
  gpu: Gpu,
  constants: RowBlocksConstants,
): Promise<ScratchKernel<BiasGradientBuffers>> {
  const { width } = constants
  const { blocks, scratchBytes } = rowBlocks('bias-gradient', constants)
  const workgroupSize = gpu.workgroupSize(64)
  const [pipeline, sum] = await Promise.all([
    gpu.compile('bias-gradient', [source], {
      u32: { WIDTH: width, BLOCK_ROWS, WORKGROUP_SIZE: workgroupSize },
    }),
    compileSumParts(gpu, { width }),
  ])
  const workgroups = Math.ceil(width / workgroupSize)
  return {
    scratchBytes,
    bind: (label, { dy, rows, scale, db, scratch }) => [
      {
        label,
        pipeline,
        bindGroup: gpu.bind(pipeline, label, [dy, rows, scratch]),
        workgroups: () => [workgroups, blocks, 1],
      },
      ...sum.bind(label, { parts: scratch, rows, scale, total: db }),
    ],
  }
}
