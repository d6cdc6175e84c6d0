import type { Gpu } from '../../../gpu/index.js'
import { trainsOnSubgroupMatrices } from '../../common/training-attention.js'
import type { AttentionBackward, AttentionBackwardConstants } from './contract.js'
import { compileSubgroupBackward } from './subgroup.js'
import { compileTiledBackward } from './tiled.js'

export type { AttentionBackward, AttentionBackwardBuffers, AttentionBackwardConstants } from './contract.js'

/**
 * Compiles the backward pass of `compileAttentionTraining`, on subgroup matrices where `trainsOnSubgroupMatrices`, else in
 * f32. Nothing in it depends on the order in which invocations run: the same input gives the same gradient to the bit.
 * @throws KernelArgumentError for heads that do not divide into groups, or are no multiple of 4 wide
 */
export function compileAttentionBackward(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
): Promise<AttentionBackward> {
  return trainsOnSubgroupMatrices(gpu, constants)
    ? compileSubgroupBackward(gpu, constants)
    : compileTiledBackward(gpu, constants)
}
