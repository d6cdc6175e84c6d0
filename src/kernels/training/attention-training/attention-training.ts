import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { compilePackKeys, packedKeyBytes } from '../../common/pack-keys.js'
import prefixedKeysSource from '../../common/prefixed-keys.wgsl?raw'
import { scratchLayout } from '../../common/scratch.js'
import { MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import {
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  tiledAttentionSpecialization,
  trainsOnSubgroupMatrices,
  usesLargeTiles,
} from '../../common/training-attention.js'
import { KernelArgumentError } from '../../errors.js'
import source from './attention-training.wgsl?raw'
import subgroupSource from './attention-training-subgroup.wgsl?raw'

export interface AttentionTrainingBuffers extends TrainingAttentionBuffers {
  /** What lies between the dispatches; only where `scratchBytes` is not 0. */
  readonly scratch?: GPUBuffer
}

/** Attention of training, compiled for its constants. */
export interface AttentionTraining {
  /** Bytes of scratch; what is in it does not matter, and layers one after the other can share it. */
  readonly scratchBytes: number
  /** The dispatches, in order. */
  bind(label: string, buffers: AttentionTrainingBuffers): readonly Dispatch[]
}

/** Lines that attention-training-subgroup.wgsl is written for. */
const SUBGROUP_LINES = 64

/** In f32, on any adapter. */
async function compileTiled(gpu: Gpu, constants: TrainingAttentionConstants): Promise<AttentionTraining> {
  const { heads, kvGroups } = constants
  // Lines (pairs of a row and a head) and keys of a tile.
  const tile = usesLargeTiles(gpu, constants) ? { LINES: 32, KEYS: 16 } : { LINES: 8, KEYS: 8 }
  const { u32, bool } = tiledAttentionSpecialization(gpu, 'attention-training', constants)
  const pipeline = await gpu.compile('attention-training', [prefixedKeysSource, source], {
    u32: { ...u32, ...tile },
    bool,
  })
  return {
    scratchBytes: 0,
    bind: (label, { sequences, qkv, prefix, y, logSumExp }) => [
      {
        label,
        pipeline,
        bindGroup: gpu.bind(pipeline, label, [sequences, qkv, prefix, y, logSumExp]),
        workgroups: (rows) => [kvGroups, Math.ceil((rows * heads) / kvGroups / tile.LINES), 1],
      },
    ],
  }
}

/** On subgroup matrices, behind a dispatch that rounds keys and values to f16. */
async function compileOnMatrices(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
): Promise<AttentionTraining> {
  const { heads, kvGroups, prefixLength, maxRows } = constants
  const [pack, pipeline] = await Promise.all([
    compilePackKeys(gpu, constants),
    gpu.compile('attention-training-subgroup', [subgroupSource], {
      enable: MATRIX_EXTENSIONS,
      u32: { HEADS: heads, KV_GROUPS: kvGroups, PREFIX: prefixLength, MAX_ROWS: maxRows },
    }),
  ])
  const layout = scratchLayout({ packedKeys: packedKeyBytes(constants) })
  return {
    scratchBytes: layout.bytes,
    bind(label, buffers) {
      const { sequences, qkv, y, logSumExp, scratch } = buffers
      if (!scratch) throw new KernelArgumentError('attention-training', `"${label}" needs a scratch buffer`)
      const { packedKeys } = layout.ranges(scratch)
      return [
        pack(`${label} keys`, buffers, packedKeys),
        {
          label,
          pipeline,
          bindGroup: gpu.bind(pipeline, label, [sequences, packedKeys, qkv, y, logSumExp]),
          workgroups: (rows) => [kvGroups, Math.ceil((rows * heads) / kvGroups / SUBGROUP_LINES), 1],
        },
      ]
    },
  }
}

/**
 * Compiles causal attention of sequences behind a prefix, which also gives what the backward pass needs to compute the
 * weights again: row r sees the whole prefix and the rows of its sequence up to itself. Where `trainsOnSubgroupMatrices`, queries, keys, values and
 * weights are rounded to f16; elsewhere it computes in f32.
 * @throws KernelArgumentError for heads that do not divide into groups, or are no multiple of 4 wide
 */
export function compileAttentionTraining(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
): Promise<AttentionTraining> {
  return trainsOnSubgroupMatrices(gpu, constants)
    ? compileOnMatrices(gpu, constants)
    : compileTiled(gpu, constants)
}
