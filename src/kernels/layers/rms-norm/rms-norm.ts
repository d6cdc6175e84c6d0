import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import source from './rms-norm.wgsl?raw'

export interface RmsNormConstants {
  /** Elements in a row. */
  readonly width: number
  /** Added to the mean square. */
  readonly epsilon: number
}

export interface RmsNormBuffers {
  /** Input, f32 [rows, width]. */
  readonly x: BufferRange
  /** Weight, f16 [width]. */
  readonly weight: GPUBuffer
  /** Output, f32 [rows, width]. */
  readonly y: BufferRange
}

/** Compiles RMSNorm: y = x / sqrt(mean(x^2) + epsilon) * weight, row by row, computed in f32. */
export async function compileRmsNorm(
  gpu: Gpu,
  { width, epsilon }: RmsNormConstants,
): Promise<Kernel<RmsNormBuffers>> {
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(256))
  const pipeline = await gpu.compile('rms-norm', [reduction.source, source], {
    enable: reduction.enable,
    u32: { ...reduction.u32, WIDTH: width },
    f32: { EPSILON: epsilon },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, weight, y }) => [x, weight, y],
    (rows) => [rows, 1, 1],
  )
}
