import type { Gpu } from '../../gpu/index.js'
import { dispatchKernel, type Kernel } from './kernel.js'
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

export interface PackKeysBuffers extends Pick<TrainingAttentionBuffers, 'sequences' | 'qkv' | 'prefix'> {
  /** f16 [prefixLength + maxRows, 2, kvGroups * headDim]: keys and values, `packedKeyBytes` in all. */
  readonly packed: GPUBufferBinding
}

/** Compiles the rounding of keys and values to f16, from the prefix and from the rows behind it into one buffer. */
export async function compilePackKeys(
  gpu: Gpu,
  constants: TrainingAttentionConstants,
): Promise<Kernel<PackKeysBuffers>> {
  const pipeline = await gpu.compile('pack-keys', [prefixedKeysSource, packSource], {
    u32: { ...trainingAttentionSpecialization('pack-keys', constants), WORKGROUP_SIZE: 64 },
    bool: { PACKED: false },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ sequences, qkv, prefix, packed }) => [sequences, qkv, prefix, packed],
    (rows) => [constants.prefixLength + rows, 1, 1],
  )
}
