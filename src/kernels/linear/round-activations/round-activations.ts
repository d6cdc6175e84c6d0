import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { ACTIVATION_BLOCK } from '../../common/activation-block.js'
import activationBlockSource from '../../common/activation-block.wgsl?raw'
import { KernelArgumentError } from '../../errors.js'
import type { ActivationBuffers } from '../linear-decode/linear-decode.js'
import source from './round-activations.wgsl?raw'

export interface RoundActivationsBuffers {
  /** f32 [elements] */
  readonly x: GPUBuffer
  /** 8-bit activations [elements]. */
  readonly output: ActivationBuffers
}

/**
 * Compiles the rounding of activations to 8 bits, for the matrix products of a decode step.
 * @throws KernelArgumentError for elements that do not fill blocks of 32
 */
export async function compileRoundActivations(
  gpu: Gpu,
  elements: number,
): Promise<(label: string, buffers: RoundActivationsBuffers) => Dispatch> {
  if (elements % ACTIVATION_BLOCK !== 0) {
    throw new KernelArgumentError(
      'round-activations',
      `${elements} elements in blocks of ${ACTIVATION_BLOCK}`,
    )
  }
  const blocks = elements / ACTIVATION_BLOCK
  const workgroupSize = gpu.workgroupSize(64)
  const pipeline = await gpu.compile('round-activations', [activationBlockSource, source], {
    u32: { BLOCKS: blocks, WORKGROUP_SIZE: workgroupSize },
  })
  const workgroups = Math.ceil(blocks / workgroupSize)
  return (label, { x, output }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [x, output.blocks, output.scales]),
    workgroups: () => [workgroups, 1, 1],
  })
}
