import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type PagedCacheBuffers,
  type PagedCacheConstants,
  pagedCacheSource,
  pagedCacheSpecialization,
} from '../../common/paged-cache.js'
import source from './cache-append.wgsl?raw'

export interface CacheAppendBuffers extends PagedCacheBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], after RoPE. */
  readonly qkv: GPUBuffer
}

/** Compiles the copy of new keys and values to their cache rows, as f16. */
export async function compileCacheAppend(
  gpu: Gpu,
  constants: PagedCacheConstants,
): Promise<Kernel<CacheAppendBuffers>> {
  const pipeline = await gpu.compile('cache-append', [pagedCacheSource, source], {
    u32: {
      ...pagedCacheSpecialization('cache-append', constants),
      HEAD_DIM: constants.headDim,
      WORKGROUP_SIZE: gpu.workgroupSize(64),
    },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, qkv, table, keys, values }) => [rows, qkv, table, keys, values],
    (count) => [count, 1, 1],
  )
}
