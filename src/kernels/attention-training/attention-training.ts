import prefixedKeysSource from '../common/prefixed-keys.wgsl?raw'
import {
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  trainingAttentionSpecialization,
  trainingWorkgroupSize,
} from '../common/training-attention.js'
import type { Dispatch } from '../dispatch.js'
import type { Gpu } from '../gpu.js'
import source from './attention-training.wgsl?raw'

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

/**
 * Compiles causal attention of a sequence behind a prefix, which also gives what the backward pass needs to compute
 * the weights again: row r sees the whole prefix and rows 0 to r.
 * @throws KernelArgumentError for heads that do not divide into groups, or are no multiple of 4 wide
 */
export async function compileAttentionTraining(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
): Promise<AttentionTraining> {
  const { heads, kvGroups } = constants
  // Lines (pairs of a row and a head) and keys of a tile; software adapters compile long where an invocation has many sums.
  const tile = gpu.software ? { LINES: 4, KEYS: 8 } : { LINES: 16, KEYS: 16 }
  const u32 = trainingAttentionSpecialization('attention-training', constants)
  const pipeline = await gpu.compile('attention-training', [prefixedKeysSource, source], {
    u32: { ...u32, ...tile, WORKGROUP_SIZE: trainingWorkgroupSize(gpu) },
  })
  return {
    scratchBytes: 0,
    bind: (label, { length, qkv, prefix, y, logSumExp }) => [
      {
        label,
        pipeline,
        bindGroup: gpu.bind(pipeline, label, [length, qkv, prefix, y, logSumExp]),
        workgroups: (rows) => [kvGroups, Math.ceil((rows * heads) / kvGroups / tile.LINES), 1],
      },
    ],
  }
}
