import type { Gpu } from '../../../gpu/index.js'
import type { ScratchKernel } from '../../common/kernel.js'
import {
  checkTrainingAttentionOptions,
  type TrainingAttentionOptions,
} from '../../common/training-attention.js'
import type { AttentionBackwardBuffers, AttentionBackwardConstants } from './contract.js'
import { compileSubgroupBackward } from './subgroup.js'
import { compileTiledBackward } from './tiled.js'

export type { AttentionBackwardBuffers, AttentionBackwardConstants } from './contract.js'

/**
 * Compiles the backward pass of `compileAttentionTraining`. Nothing in it depends on the order in which invocations run: the same input gives the same gradient to the bit.
 * @throws `option.kernel-argument` for heads that do not divide into groups, or are no multiple of 4 wide, and where subgroup
 * matrices are asked for that cannot be used
 */
export async function compileAttentionBackward(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
  options: TrainingAttentionOptions,
): Promise<ScratchKernel<AttentionBackwardBuffers>> {
  checkTrainingAttentionOptions(gpu, 'attention-backward', constants, options)
  return (options.onMatrices ? compileSubgroupBackward : compileTiledBackward)(gpu, constants)
}
