import type { Gpu } from '../../../gpu/index.js'
import { ACTIVATION_BLOCK } from '../../common/activation-block.js'
import activationBlockSource from '../../common/activation-block.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import type { ActivationBuffers } from '../linear-decode/linear-decode.js'
import source from './round-activations.wgsl?raw'

export interface RoundActivationsConstants {
  /** A multiple of 32. */
  readonly elements: number
}

export interface RoundActivationsBuffers {
  /** f32 [elements] */
  readonly x: GPUBuffer
  /** 8-bit activations [elements]. */
  readonly output: ActivationBuffers
}

/**
 * Compiles the rounding of activations to 8 bits, for the matrix products of a decode step.
 * @throws `option.kernel-argument` for elements that do not fill blocks of 32
 */
export async function compileRoundActivations(
  gpu: Gpu,
  { elements }: RoundActivationsConstants,
): Promise<Kernel<RoundActivationsBuffers>> {
  if (elements % ACTIVATION_BLOCK !== 0) {
    throw kernelArgument('round-activations', `${elements} elements in blocks of ${ACTIVATION_BLOCK}`)
  }
  const blocks = elements / ACTIVATION_BLOCK
  const workgroupSize = gpu.workgroupSize(64)
  const pipeline = await gpu.compile('round-activations', [activationBlockSource, source], {
    u32: { BLOCKS: blocks, WORKGROUP_SIZE: workgroupSize },
  })
  const workgroups = Math.ceil(blocks / workgroupSize)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, output }) => [x, output.blocks, output.scales],
    () => [workgroups, 1, 1],
  )
}
