import type { AttentionBuffers } from '../attention/attention.js'
import type { HeadShape } from '../common/heads.js'
import type { Dispatch } from '../dispatch.js'
import { KernelArgumentError } from '../errors.js'
import type { Gpu } from '../gpu.js'
import subgroupSource from './attention-subgroup.wgsl?raw'
import tiledSource from './attention-tiled.wgsl?raw'

export interface AttentionPrefillConstants extends HeadShape {
  /** Cache rows of a slot, prefix included. */
  readonly capacity: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

/** What attention-subgroup.wgsl is written for. */
const SUBGROUP = { size: 32, matrix: 16, headDim: 128, lines: 64 }

/** Cache rows that go through workgroup memory at a time. */
const KEYS = 32

/**
 * Whether `compileAttentionPrefill` uses subgroup matrices, with queries, keys and weights rounded to f16; elsewhere it
 * computes in f32.
 */
export function usesSubgroupMatrices(gpu: Gpu, { headDim }: HeadShape): boolean {
  const { subgroupMinSize, subgroupMaxSize } = gpu.info
  const subgroups = gpu.subgroups && subgroupMinSize === SUBGROUP.size && subgroupMaxSize === SUBGROUP.size
  const matrices = gpu.subgroupMatrices.some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' &&
      resultComponentType === 'f32' &&
      [M, N, K].every((size) => size === SUBGROUP.matrix),
  )
  return gpu.f16 && subgroups && matrices && headDim === SUBGROUP.headDim
}

/** Lines (pairs of a row and a head) of a workgroup of attention-tiled.wgsl. */
function tiledLines(workgroupSize: number, headDim: number): number {
  return Math.min(KEYS, (4 * 16 * workgroupSize) / headDim)
}

/**
 * Compiles causal attention over the cache for consecutive rows of one sequence: a row sees the whole prefix and the
 * positions up to its own.
 * @throws KernelArgumentError for heads that do not divide into groups, or not into 16 elements
 */
export async function compileAttentionPrefill(
  gpu: Gpu,
  constants: AttentionPrefillConstants,
): Promise<(label: string, buffers: AttentionBuffers) => Dispatch> {
  const { heads, kvGroups, headDim, capacity, maxRows } = constants
  if (heads % kvGroups !== 0) {
    throw new KernelArgumentError('attention-prefill', `${heads} heads in ${kvGroups} groups`)
  }
  const workgroupSize = gpu.workgroupSize(64)
  if (headDim % 16 !== 0 || headDim > 16 * workgroupSize) {
    throw new KernelArgumentError('attention-prefill', `heads of ${headDim}`)
  }
  const onMatrices = usesSubgroupMatrices(gpu, constants)
  const lines = onMatrices ? SUBGROUP.lines : tiledLines(workgroupSize, headDim)
  const u32 = { HEADS: heads, KV_GROUPS: kvGroups, CAPACITY: capacity, MAX_ROWS: maxRows }
  const pipeline = onMatrices
    ? await gpu.compile('attention-subgroup', [subgroupSource], {
        enable: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
        u32,
      })
    : await gpu.compile('attention-tiled', [tiledSource], {
        u32: { ...u32, HEAD_DIM: headDim, LINES: lines, KEYS, WORKGROUP_SIZE: workgroupSize },
      })
  return (label, { rows, qkv, keys, values, parameters, y }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [rows, qkv, keys, values, parameters, y]),
    workgroups: (count) => [kvGroups, Math.ceil((count * heads) / kvGroups / lines), 1],
  })
}
