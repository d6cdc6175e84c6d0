import type { Gpu } from '../../../gpu/index.js'
import { ACTIVATION_BLOCK } from '../../common/activation-block.js'
import activationBlockSource from '../../common/activation-block.wgsl?raw'
import { type AttentionParts, type AttentionSplits, splitReduction } from '../../common/decode-attention.js'
import { HALF_TILE_SOURCES } from '../../common/half-tiles.js'
import type { HeadShape } from '../../common/heads.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { laneReduction } from '../../common/reduce.js'
import splitsSource from '../../common/splits.wgsl?raw'
import { kernelArgument } from '../../errors.js'
import type { ActivationBuffers } from '../../linear/linear-decode/linear-decode.js'
import source from './attention-combine.wgsl?raw'
import outputBlocksSource from './output-blocks.wgsl?raw'
import outputHalvesSource from './output-halves.wgsl?raw'

export interface AttentionCombineBuffers extends AttentionParts {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  readonly output:
    | ActivationBuffers
    | {
        /** f16 [rows, heads * headDim], in the tiles of common/half-tiles.wgsl. */
        readonly halves: GPUBuffer
      }
}

/** What the result is rounded to: blocks of 8 bits, or f16. */
export interface AttentionCombineOptions {
  readonly output: 'blocks' | 'halves'
}

const OUTPUT_SOURCES = {
  blocks: [activationBlockSource, outputBlocksSource],
  halves: [...HALF_TILE_SOURCES, outputHalvesSource],
}

/**
 * Compiles the second half of decode attention, which puts the splits together and rounds the result.
 * @throws `option.kernel-argument` for heads that do not fill blocks of 32 elements
 */
export async function compileAttentionCombine(
  gpu: Gpu,
  { heads, headDim, splits }: HeadShape & AttentionSplits,
  { output }: AttentionCombineOptions,
): Promise<Kernel<AttentionCombineBuffers>> {
  const tile = Math.max(headDim, ACTIVATION_BLOCK)
  if (tile % headDim !== 0 || tile % ACTIVATION_BLOCK !== 0 || (heads * headDim) % tile !== 0) {
    throw kernelArgument('attention-combine', `${heads} heads of ${headDim} in blocks of ${ACTIVATION_BLOCK}`)
  }
  // Lanes for every element; four times as many where lanes are plenty.
  const workgroupSize = gpu.software ? tile : Math.min(4 * tile, gpu.limits.maxComputeInvocationsPerWorkgroup)
  const reduction = laneReduction(gpu, workgroupSize)
  const modules = [...OUTPUT_SOURCES[output], splitsSource, reduction.source, source]
  const pipeline = await gpu.compile('attention-combine', modules, {
    enable: reduction.enable,
    u32: {
      ...reduction.u32,
      HEADS: heads,
      HEAD_DIM: headDim,
      TILE: tile,
      TILE_HEADS: tile / headDim,
      KEYS: splitReduction(gpu).u32.LANES,
      SPLITS: splits,
    },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, parts, statistics, output }) => [
      rows,
      parts,
      statistics,
      ...('halves' in output ? [output.halves] : [output.blocks, output.scales]),
    ],
    (count) => [(heads * headDim) / tile, count, 1],
  )
}
