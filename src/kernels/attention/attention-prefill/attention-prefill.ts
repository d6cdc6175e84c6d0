import type { Gpu } from '../../../gpu/index.js'
import { HALF_TILE_SOURCES } from '../../common/half-tiles.js'
import type { HeadShape } from '../../common/heads.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import matrixSoftmaxSource from '../../common/matrix-softmax.wgsl?raw'
import matrixTilesSource from '../../common/matrix-tiles.wgsl?raw'
import {
  type PagedCacheConstants,
  pagedCacheSource,
  pagedCacheSpecialization,
} from '../../common/paged-cache.js'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import { kernelArgument } from '../../errors.js'
import type { AttentionBuffers } from '../attention/attention.js'
import subgroupSource from './attention-subgroup.wgsl?raw'
import tiledSource from './attention-tiled.wgsl?raw'
import outputFloatsSource from './output-floats.wgsl?raw'
import outputHalvesSource from './output-halves.wgsl?raw'

const SUBGROUP_MODULES = [pagedCacheSource, matrixTilesSource, matrixSoftmaxSource, subgroupSource]
const OUTPUT_SOURCES = { floats: [outputFloatsSource], halves: [...HALF_TILE_SOURCES, outputHalvesSource] }

export interface AttentionPrefillConstants extends PagedCacheConstants {
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

/** What attention-subgroup.wgsl is written for, and what it takes of workgroup memory. */
const ON_MATRICES = { headDim: 128, lines: 64, bytes: 31_776 }

/** Cache rows that go through workgroup memory at a time. */
const KEYS = 32

/** How the attention of prompts is computed. */
export interface AttentionPrefillOptions {
  /** Whether on subgroup matrices, with queries, keys and weights rounded to f16; else in f32. */
  readonly onMatrices: boolean
  /** What the result is written as: f32, or f16 in the tiles of common/half-tiles.wgsl, on matrices only. Default: floats. */
  readonly output?: 'floats' | 'halves'
}

/** Whether `compileAttentionPrefill` can use subgroup matrices. */
export function canRunAttentionPrefillOnMatrices(gpu: Gpu, { headDim }: HeadShape): boolean {
  const fits = gpu.limits.maxComputeWorkgroupStorageSize >= ON_MATRICES.bytes
  return hasSubgroupMatrices(gpu) && headDim === ON_MATRICES.headDim && fits
}

/** Lines (pairs of a row and a head) of a workgroup of attention-tiled.wgsl. */
function tiledLines(workgroupSize: number, headDim: number): number {
  // Each invocation has the sums of 4 lines x 16 elements.
  return Math.min(KEYS, 4 * Math.floor((16 * workgroupSize) / headDim))
}

/** Whether attention-tiled.wgsl takes heads of this size, and its tiles fit into this GPU's workgroup memory. */
export function canRunAttentionPrefill(gpu: Gpu, { headDim }: HeadShape): boolean {
  const workgroupSize = gpu.workgroupSize(64)
  if (headDim % 16 !== 0 || headDim > 16 * workgroupSize) return false
  const lines = tiledLines(workgroupSize, headDim)
  const line = headDim / 4 + 1
  const bytes = 16 * lines * line + 8 * KEYS * line + 4 * lines * (KEYS + 1) + 4 * lines + 16
  return bytes <= gpu.limits.maxComputeWorkgroupStorageSize
}

/**
 * Compiles causal attention over the cache for consecutive rows of one sequence: a row sees the whole prefix and the
 * positions up to its own.
 * @throws `option.kernel-argument` for heads that do not divide into groups, or not into 16 elements
 */
export async function compileAttentionPrefill(
  gpu: Gpu,
  constants: AttentionPrefillConstants,
  { onMatrices, output = 'floats' }: AttentionPrefillOptions,
): Promise<Kernel<AttentionBuffers>> {
  const { heads, kvGroups, headDim, maxRows } = constants
  const shape = pagedCacheSpecialization('attention-prefill', constants, KEYS)
  const workgroupSize = gpu.workgroupSize(64)
  if (headDim % 16 !== 0 || headDim > 16 * workgroupSize) {
    throw kernelArgument('attention-prefill', `heads of ${headDim}`)
  }
  const lines = onMatrices ? ON_MATRICES.lines : tiledLines(workgroupSize, headDim)
  const u32 = { ...shape, MAX_ROWS: maxRows }
  const pipeline = onMatrices
    ? await gpu.compile('attention-subgroup', [...OUTPUT_SOURCES[output], ...SUBGROUP_MODULES], {
        enable: MATRIX_EXTENSIONS,
        u32,
      })
    : await gpu.compile('attention-tiled', [pagedCacheSource, tiledSource], {
        u32: { ...u32, HEAD_DIM: headDim, LINES: lines, KEYS, WORKGROUP_SIZE: workgroupSize },
      })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ rows, qkv, table, keys, values, y }) => [rows, qkv, table, keys, values, y],
    (count) => [kvGroups, Math.ceil((count * heads) / kvGroups / lines), 1],
  )
}
