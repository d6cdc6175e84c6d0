import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { HALF_TILE_SOURCES } from '../../common/half-tiles.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import { kernelArgument } from '../../errors.js'
import type { RmsNormConstants } from '../rms-norm/rms-norm.js'
import source from './norm-halves.wgsl?raw'

export interface NormHalvesBuffers {
  /** Input, f32 [rows, width]. */
  readonly x: BufferRange
  /** Weight, f16 [width]. */
  readonly weight: GPUBuffer
  /** Output, f16 [rows, width], in the tiles of common/half-tiles.wgsl. */
  readonly y: GPUBuffer
}

/**
 * Compiles RMSNorm with a result in f16: y = x / sqrt(mean(x^2) + epsilon) * weight, row by row, computed in f32.
 * @throws `option.kernel-argument` for a width that is not a multiple of 16
 */
export async function compileNormHalves(
  gpu: Gpu,
  { width, epsilon }: RmsNormConstants,
): Promise<Kernel<NormHalvesBuffers>> {
  if (width % 16 !== 0) throw kernelArgument('norm-halves', `width ${width} is not a multiple of 16`)
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(256))
  const pipeline = await gpu.compile('norm-halves', [...HALF_TILE_SOURCES, reduction.source, source], {
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
