import type { Dispatch, Gpu } from '../../../gpu/index.js'
import type { HeadShape } from '../../common/heads.js'
import { KernelArgumentError } from '../../errors.js'
import source from './attention.wgsl?raw'

export interface AttentionConstants extends HeadShape {
  /** Cache rows of a slot, prefix included. */
  readonly capacity: number
  /** Rows that share a tile: 1 for decoding, where each row has a slot of its own; more for prefill. */
  readonly queries: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

export interface AttentionBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], after RoPE. */
  readonly qkv: GPUBuffer
  /** f16 [slots, capacity, kvGroups * headDim], the new rows appended. */
  readonly keys: GPUBuffer
  /** f16 [slots, capacity, kvGroups * headDim], the new rows appended. */
  readonly values: GPUBuffer
  /** f32 [1]: the logarithm of the prefix's strength. */
  readonly parameters: GPUBuffer
  /** Output, f32 [rows, heads * headDim]. */
  readonly y: GPUBuffer
}

/** Cache rows that go through workgroup memory at a time. */
const KEYS = 32

/**
 * Compiles causal attention over the cache: a row sees the whole prefix and the positions up to its own.
 * @throws KernelArgumentError for heads that do not divide into groups
 */
export async function compileAttention(
  gpu: Gpu,
  { heads, kvGroups, headDim, capacity, queries, maxRows }: AttentionConstants,
): Promise<(label: string, buffers: AttentionBuffers) => Dispatch> {
  if (heads % kvGroups !== 0)
    throw new KernelArgumentError('attention', `${heads} heads in ${kvGroups} groups`)
  const pipeline = await gpu.compile('attention', [source], {
    u32: {
      HEADS: heads,
      KV_GROUPS: kvGroups,
      HEAD_DIM: headDim,
      CAPACITY: capacity,
      QUERIES: queries,
      MAX_ROWS: maxRows,
      KEYS,
      WORKGROUP_SIZE: gpu.workgroupSize(64),
    },
  })
  return (label, { rows, qkv, keys, values, parameters, y }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [rows, qkv, keys, values, parameters, y]),
    workgroups: (count) => [heads, Math.ceil(count / queries), 1],
  })
}
