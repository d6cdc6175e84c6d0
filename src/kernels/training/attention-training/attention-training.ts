import type { Gpu } from '../../../gpu/index.js'
import foursSource from '../../common/fours.wgsl?raw'
import keptQueriesSource from '../../common/kept-queries.wgsl?raw'
import { dispatchKernel, type ScratchKernel } from '../../common/kernel.js'
import matrixSoftmaxSource from '../../common/matrix-softmax.wgsl?raw'
import matrixTilesSource from '../../common/matrix-tiles.wgsl?raw'
import { compilePackKeys, packedKeyBytes } from '../../common/pack-keys.js'
import packedKeysSource from '../../common/packed-keys.wgsl?raw'
import prefixedKeysSource from '../../common/prefixed-keys.wgsl?raw'
import { scratchLayout } from '../../common/scratch.js'
import { MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import {
  canRunLargeTiles,
  checkTrainingAttentionOptions,
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  type TrainingAttentionOptions,
  tiledAttentionSpecialization,
} from '../../common/training-attention.js'
import { kernelArgument } from '../../errors.js'
import source from './attention-training.wgsl?raw'
import subgroupSource from './attention-training-subgroup.wgsl?raw'

export interface AttentionTrainingBuffers extends TrainingAttentionBuffers {
  /** What lies between the dispatches; only where `scratchBytes` is not 0. */
  readonly scratch?: GPUBuffer
}

type AttentionTraining = ScratchKernel<AttentionTrainingBuffers>

const TILED_MODULES = [prefixedKeysSource, foursSource, keptQueriesSource, source]
const SUBGROUP_MODULES = [matrixTilesSource, matrixSoftmaxSource, packedKeysSource, subgroupSource]

/** Lines that common/matrix-softmax.wgsl is written for. */
const SUBGROUP_LINES = 64

/** In f32, on any adapter. */
async function compileTiled(gpu: Gpu, constants: TrainingAttentionConstants): Promise<AttentionTraining> {
  const { heads, kvGroups } = constants
  // Lines (pairs of a row and a head) and keys of a tile.
  const tile = canRunLargeTiles(gpu, constants) ? { LINES: 32, KEYS: 16 } : { LINES: 8, KEYS: 8 }
  const { u32, bool } = tiledAttentionSpecialization(gpu, 'attention-training', constants)
  const pipeline = await gpu.compile('attention-training', TILED_MODULES, {
    u32: { ...u32, ...tile },
    bool,
  })
  const kernel = dispatchKernel<AttentionTrainingBuffers>(
    gpu,
    pipeline,
    ({ sequences, qkv, prefix, y, logSumExp }) => [sequences, qkv, prefix, y, logSumExp],
    (rows) => [kvGroups, Math.ceil((rows * heads) / kvGroups / tile.LINES), 1],
  )
  return { scratchBytes: 0, ...kernel }
}

/** On subgroup matrices, behind a dispatch that rounds keys and values to f16. */
async function compileOnMatrices(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
): Promise<AttentionTraining> {
  const { heads, kvGroups, prefixLength, maxRows } = constants
  const [pack, pipeline] = await Promise.all([
    compilePackKeys(gpu, constants),
    gpu.compile('attention-training-subgroup', SUBGROUP_MODULES, {
      enable: MATRIX_EXTENSIONS,
      u32: { HEADS: heads, KV_GROUPS: kvGroups, PREFIX: prefixLength, MAX_ROWS: maxRows },
    }),
  ])
  const layout = scratchLayout({ packedKeys: packedKeyBytes(constants) })
  return {
    scratchBytes: layout.bytes,
    bind(label, buffers) {
      const { sequences, qkv, y, logSumExp, scratch } = buffers
      if (!scratch) throw kernelArgument('attention-training', `"${label}" needs a scratch buffer`)
      const { packedKeys } = layout.ranges(scratch)
      return [
        ...pack.bind(`${label} keys`, { ...buffers, packed: packedKeys }),
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
 * weights again: row r sees the whole prefix and the rows of its sequence up to itself.
 * @throws `option.kernel-argument` for heads that do not divide into groups or are no multiple of 4 wide, and where subgroup
 * matrices are asked for that cannot be used
 */
export async function compileAttentionTraining(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
  options: TrainingAttentionOptions,
): Promise<ScratchKernel<AttentionTrainingBuffers>> {
  checkTrainingAttentionOptions(gpu, 'attention-training', constants, options)
  return options.onMatrices ? compileOnMatrices(gpu, constants) : compileTiled(gpu, constants)
}
