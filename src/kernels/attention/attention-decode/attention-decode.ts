import type { Gpu } from '../../../gpu/index.js'
import { type AttentionParts, type AttentionSplits, splitReduction } from '../../common/decode-attention.js'
import type { HeadShape } from '../../common/heads.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type PagedCacheBuffers,
  type PagedCacheConstants,
  pagedCacheSource,
  pagedCacheSpecialization,
} from '../../common/paged-cache.js'
import splitsSource from '../../common/splits.wgsl?raw'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS, MATRIX_SIZE } from '../../common/subgroup-matrices.js'
import source from './attention-decode.wgsl?raw'
import matricesSource from './attention-matrices.wgsl?raw'

/** The new row is appended to the cache. */
export interface AttentionDecodeBuffers extends AttentionParts, PagedCacheBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], after RoPE. */
  readonly qkv: GPUBuffer
}

/** Heads that share the keys and values a workgroup loads; fewer leave more workgroups for short sequences. */
const TILE_HEADS = 8
/** The heads that attention-matrices.wgsl is written for, and what it takes of workgroup memory. */
const ON_MATRICES = { headDim: 128, bytes: 31_488 }

/** How decode attention is computed. */
export interface AttentionDecodeOptions {
  /** Whether on subgroup matrices, with queries, keys and weights rounded to f16; else in f32. */
  readonly onMatrices: boolean
}

/** Whether the attention of a decode step can use subgroup matrices. */
export function canRunAttentionDecodeOnMatrices(gpu: Gpu, { heads, kvGroups, headDim }: HeadShape): boolean {
  return (
    hasSubgroupMatrices(gpu) &&
    headDim === ON_MATRICES.headDim &&
    (heads / kvGroups) % MATRIX_SIZE === 0 &&
    gpu.limits.maxComputeWorkgroupStorageSize >= ON_MATRICES.bytes
  )
}

/**
 * Compiles the attention of a decode step over splits of the cache.
 * @throws `option.kernel-argument` for heads that do not divide into groups
 */
export async function compileAttentionDecode(
  gpu: Gpu,
  constants: PagedCacheConstants & AttentionSplits,
  { onMatrices }: AttentionDecodeOptions,
): Promise<Kernel<AttentionDecodeBuffers>> {
  const { heads, kvGroups, headDim, splits } = constants
  const groupHeads = heads / kvGroups
  const simpleTile = groupHeads % TILE_HEADS === 0 ? TILE_HEADS : groupHeads
  const tileHeads = onMatrices ? MATRIX_SIZE : simpleTile
  const reduction = splitReduction(gpu)
  // Both kernels deal out the cache by tiles of as many rows as a row has lanes.
  const KEYS = reduction.u32.LANES
  const u32 = {
    ...pagedCacheSpecialization('attention-decode', constants, KEYS),
    SPLITS: splits,
    KEYS,
  }
  const pipeline = onMatrices
    ? await gpu.compile('attention-decode on matrices', [splitsSource, pagedCacheSource, matricesSource], {
        enable: MATRIX_EXTENSIONS,
        u32,
      })
    : await gpu.compile('attention-decode', [splitsSource, pagedCacheSource, reduction.source, source], {
        enable: reduction.enable,
        u32: { ...reduction.u32, ...u32, HEAD_DIM: headDim, TILE_HEADS: tileHeads },
      })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, qkv, table, keys, values, parts, statistics }) => [
      rows,
      qkv,
      table,
      keys,
      values,
      parts,
      statistics,
    ],
    (count) => [splits, heads / tileHeads, count],
  )
}
