import type { Dispatch, Gpu } from '../../gpu/index.js'
import packSource from './pack-keys.wgsl?raw'
import prefixedKeysSource from './prefixed-keys.wgsl?raw'
import {
  type TrainingAttentionBuffers,
  type TrainingAttentionConstants,
  trainingAttentionSpecialization,
} from './training-attention.js'

/** Bytes of the keys and values that `compilePackKeys` writes. */
export function packedKeyBytes(constants: TrainingAttentionConstants): number {
  const { kvGroups, headDim, prefixLength, maxRows } = constants
  return (prefixLength + maxRows) * 2 * kvGroups * headDim * 2
}

/** Compiles the rounding of keys and values to f16, from the prefix and from the rows behind it into one buffer. */
export async function compilePackKeys(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
): Promise<(label: string, buffers: TrainingAttentionBuffers, packed: GPUBufferBinding) => Dispatch> {
  const pipeline = await gpu.compile('pack-keys', [prefixedKeysSource, packSource], {
    u32: { ...trainingAttentionSpecialization('pack-keys', constants), WORKGROUP_SIZE: 64 },
    bool: { PACKED: false },
  })
  return (label, { sequences, qkv, prefix }, packed) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [sequences, qkv, prefix, packed]),
    workgroups: (rows) => [constants.prefixLength + rows, 1, 1],
  })
}
