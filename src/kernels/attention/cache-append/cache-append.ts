import type { Dispatch, Gpu } from '../../../gpu/index.js'
import type { HeadShape } from '../../common/heads.js'
import source from './cache-append.wgsl?raw'

export interface CacheAppendBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], after RoPE. */
  readonly qkv: GPUBuffer
  /** f16 [slots, capacity, kvGroups * headDim]. */
  readonly keys: GPUBuffer
  /** f16 [slots, capacity, kvGroups * headDim]. */
  readonly values: GPUBuffer
}

/**
 * Compiles the copy of new keys and values to their cache rows, as f16.
 * @param capacity cache rows of a slot, prefix included
 */
export async function compileCacheAppend(
  gpu: Gpu,
  { heads, kvGroups, headDim }: HeadShape,
  capacity: number,
): Promise<(label: string, buffers: CacheAppendBuffers) => Dispatch> {
  const pipeline = await gpu.compile('cache-append', [source], {
    u32: {
      HEADS: heads,
      KV_GROUPS: kvGroups,
      HEAD_DIM: headDim,
      CAPACITY: capacity,
      WORKGROUP_SIZE: gpu.workgroupSize(64),
    },
  })
  return (label, { rows, qkv, keys, values }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [rows, qkv, keys, values]),
    workgroups: (count) => [count, 1, 1],
  })
}
