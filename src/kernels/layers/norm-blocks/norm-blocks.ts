import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { ACTIVATION_BLOCK } from '../../common/activation-block.js'
import activationBlockSource from '../../common/activation-block.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import { kernelArgument } from '../../errors.js'
import type { ActivationBuffers } from '../../linear/linear-decode/linear-decode.js'
import type { RmsNormConstants } from '../rms-norm/rms-norm.js'
import source from './norm-blocks.wgsl?raw'

export interface NormBlocksBuffers {
  /** Input, f32 [rows, width]. */
  readonly x: BufferRange
  /** Weight, f16 [width]. */
  readonly weight: GPUBuffer
  /** 8-bit activations [rows, width]. */
  readonly output: ActivationBuffers
}

/**
 * Compiles RMSNorm with a result in 8 bits: x / sqrt(mean(x^2) + epsilon) * weight, row by row, computed in f32.
 * @throws `option.kernel-argument` for a width that does not fill blocks of 32
 */
export async function compileNormBlocks(
  gpu: Gpu,
  { width, epsilon }: RmsNormConstants,
): Promise<Kernel<NormBlocksBuffers>> {
  if (width % ACTIVATION_BLOCK !== 0) {
    throw kernelArgument('norm-blocks', `width ${width} in blocks of ${ACTIVATION_BLOCK}`)
  }
  const reduction = workgroupReduction(gpu, gpu.workgroupSize(128))
  const pipeline = await gpu.compile('norm-blocks', [activationBlockSource, reduction.source, source], {
    enable: reduction.enable,
    u32: { ...reduction.u32, WIDTH: width },
    f32: { EPSILON: epsilon },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, weight, output }) => [x, weight, output.blocks, output.scales],
    (rows) => [rows, 1, 1],
  )
}
