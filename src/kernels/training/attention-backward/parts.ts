import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type TrainingAttentionConstants,
  trainingAttentionSpecialization,
} from '../../common/training-attention.js'
import type { AttentionBackwardConstants } from './contract.js'
import sumSource from './sum.wgsl?raw'

/** The most parts into which the heads of a group are split, so that few keys too occupy the whole GPU. */
const MAX_SPLITS = 8

/** Into how many parts the heads of a group are split. */
export function splitsOf(gpu: Gpu, { heads, kvGroups }: TrainingAttentionConstants): number {
  const groupHeads = heads / kvGroups
  let splits = gpu.software ? 1 : Math.min(MAX_SPLITS, groupHeads)
  while (groupHeads % splits !== 0) splits--
  return splits
}

/** Bytes of the gradients of keys and values of all splits. */
export function partBytes(constants: TrainingAttentionConstants, splits: number): number {
  const { kvGroups, headDim, prefixLength, maxRows } = constants
  return splits * (prefixLength + maxRows) * 2 * kvGroups * headDim * 4
}

/** Rows of keys and values whose gradients are asked for. */
export function keyRows({ prefixLength, prefixOnly }: AttentionBackwardConstants, rows: number): number {
  return prefixOnly ? prefixLength : prefixLength + rows
}

interface SumBuffers {
  readonly sequences: GPUBuffer
  readonly parts: BufferRange
  readonly dprefix: BufferRange
  readonly dqkv: GPUBuffer
}

/** Compiles the sum over the splits. */
export async function compileSum(
  gpu: Gpu,
  constants: AttentionBackwardConstants,
  splits: number,
): Promise<Kernel<SumBuffers>> {
  const u32 = trainingAttentionSpecialization('attention-backward', constants)
  const pipeline = await gpu.compile('attention-backward sum', [sumSource], {
    u32: { ...u32, SPLITS: splits, WORKGROUP_SIZE: gpu.workgroupSize(64) },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ sequences, parts, dprefix, dqkv }) => [sequences, parts, dprefix, dqkv],
    (rows) => [keyRows(constants, rows), 1, 1],
  )
}
