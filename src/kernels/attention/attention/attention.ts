import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type PagedCacheBuffers,
  type PagedCacheConstants,
  pagedCacheSource,
  pagedCacheSpecialization,
} from '../../common/paged-cache.js'
import source from './attention.wgsl?raw'

export interface AttentionConstants extends PagedCacheConstants {
  /** Rows that share a tile: 1 for decoding, where each row has a slot of its own; more for prefill. */
  readonly queries: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

/** The new rows are in the cache already. */
export interface AttentionBuffers extends PagedCacheBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], after RoPE. */
  readonly qkv: GPUBuffer
  /** Output, f32 [rows, heads * headDim]. */
  readonly y: GPUBuffer
}

/** Cache rows that go through workgroup memory at a time. */
const KEYS = 32

/**
 * Compiles causal attention over the cache: a row sees the whole prefix and the positions up to its own.
 * @throws `option.kernel-argument` for heads that do not divide into groups
 */
export async function compileAttention(
  gpu: Gpu,
  constants: AttentionConstants,
): Promise<Kernel<AttentionBuffers>> {
  const { heads, headDim, queries, maxRows } = constants
  const pipeline = await gpu.compile('attention', [pagedCacheSource, source], {
    u32: {
      ...pagedCacheSpecialization('attention', constants, KEYS),
      HEAD_DIM: headDim,
      QUERIES: queries,
      MAX_ROWS: maxRows,
      KEYS,
      WORKGROUP_SIZE: gpu.workgroupSize(64),
    },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, qkv, table, keys, values, y }) => [rows, qkv, table, keys, values, y],
    (count) => [heads, Math.ceil(count / queries), 1],
  )
}
