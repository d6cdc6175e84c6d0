import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import type { RmsNormConstants } from '../../layers/rms-norm/rms-norm.js'
import source from './rms-norm-backward.wgsl?raw'

export interface RmsNormBackwardConstants extends RmsNormConstants {
  /** Adds to dx, which holds the gradient of the residual stream, instead of overwriting it. */
  readonly accumulate: boolean
}

export interface RmsNormBackwardBuffers {
  /** The norm's input, f32 [rows, width]. */
  readonly x: BufferRange
  /** Weight, f16 [width]. */
  readonly weight: GPUBuffer
  /** Gradient of the norm's output, f32 [rows, width]. */
  readonly dy: BufferRange
  /** Gradient of its input, f32 [rows, width]. */
  readonly dx: BufferRange
}

/** Compiles the gradient of RMSNorm with respect to its input, row by row. The weight is frozen. */
export async function compileRmsNormBackward(
  gpu: Gpu,
  { width, epsilon, accumulate }: RmsNormBackwardConstants,
): Promise<Kernel<RmsNormBackwardBuffers>> {
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(256))
  const pipeline = await gpu.compile('rms-norm-backward', [reduction.source, source], {
    enable: reduction.enable,
    u32: { ...reduction.u32, WIDTH: width },
    f32: { EPSILON: epsilon },
    bool: { ACCUMULATE: accumulate },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, weight, dy, dx }) => [x, weight, dy, dx],
    (rows) => [rows, 1, 1],
  )
}
