import type { BufferRange, Gpu } from '../../../gpu/index.js'
import type { ScratchKernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import { BLOCK_ROWS, compileSumParts, type RowBlocksConstants, rowBlocks } from '../../common/sum-parts.js'
import type { RmsNormConstants } from '../../layers/rms-norm/rms-norm.js'
import source from './rms-norm-weight-gradient.wgsl?raw'

export type RmsNormWeightGradientConstants = RmsNormConstants & RowBlocksConstants

export interface RmsNormWeightGradientBuffers {
  /** The norm's input, f32 [maxRows, width]. */
  readonly x: BufferRange
  /** Gradient of the norm's output, f32 [maxRows, width]. */
  readonly dy: BufferRange
  /** u32 [1]: rows of x and dy that count, at most maxRows; those behind them are not read. */
  readonly rows: BufferRange
  /** f32 [1]: what the gradient is multiplied by before it is added. */
  readonly scale: GPUBuffer
  /** Gradient of the weight, f32 [width], added to. */
  readonly dw: GPUBuffer
  /** At least scratchBytes; what it holds is of no use afterwards. */
  readonly scratch: GPUBuffer
}

/**
 * Compiles the gradient of RMSNorm with respect to its weight, dw[i] += scale * sum_r dy[r, i] * x[r, i] * s_r with
 * s_r = 1 / sqrt(mean_i(x[r, i]^2) + epsilon). The order of additions is always the same.
 * @throws `option.kernel-argument` where a size is out of range
 */
export async function compileRmsNormWeightGradient(
  gpu: Gpu,
  constants: RmsNormWeightGradientConstants,
): Promise<ScratchKernel<RmsNormWeightGradientBuffers>> {
  const { width, epsilon } = constants
  const { blocks, scratchBytes } = rowBlocks('rms-norm-weight-gradient', constants)
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(256))
  const [pipeline, sum] = await Promise.all([
    gpu.compile('rms-norm-weight-gradient', [reduction.source, source], {
      enable: reduction.enable,
      u32: { ...reduction.u32, WIDTH: width, BLOCK_ROWS },
      f32: { EPSILON: epsilon },
    }),
    compileSumParts(gpu, { width }),
  ])
  return {
    scratchBytes,
    bind: (label, { x, dy, rows, scale, dw, scratch }) => [
      {
        label,
        pipeline,
        bindGroup: gpu.bind(pipeline, label, [x, dy, rows, scratch]),
        workgroups: () => [blocks, 1, 1],
      },
      ...sum.bind(label, { parts: scratch, rows, scale, total: dw }),
    ],
  }
}
