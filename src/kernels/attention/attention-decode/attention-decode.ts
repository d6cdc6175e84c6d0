import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  ATTENTION_SPLITS,
  type AttentionParts,
  type DecodeAttentionConstants,
  splitReduction,
} from '../../common/decode-attention.js'
import type { HeadShape } from '../../common/heads.js'
import splitsSource from '../../common/splits.wgsl?raw'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS, MATRIX_SIZE } from '../../common/subgroup-matrices.js'
import { KernelArgumentError } from '../../errors.js'
import source from './attention-decode.wgsl?raw'
import matricesSource from './attention-matrices.wgsl?raw'

export interface AttentionDecodeBuffers extends AttentionParts {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, (heads + 2 kvGroups) * headDim], after RoPE. */
  readonly qkv: GPUBuffer
  /** f16 [slots, capacity, kvGroups * headDim]; the new row is appended. */
  readonly keys: GPUBuffer
  /** f16 [slots, capacity, kvGroups * headDim]; the new row is appended. */
  readonly values: GPUBuffer
  /** f32 [1]: the logarithm of the prefix's strength. */
  readonly parameters: GPUBuffer
}

/** Heads that share the keys and values a workgroup loads; fewer leave more workgroups for short sequences. */
const TILE_HEADS = 8
/** The heads that attention-matrices.wgsl is written for, and what it takes of workgroup memory. */
const ON_MATRICES = { headDim: 128, bytes: 31_488 }

/** Whether the attention of a decode step can use subgroup matrices. */
export function decodesOnSubgroupMatrices(gpu: Gpu, { heads, kvGroups, headDim }: HeadShape): boolean {
  return (
    hasSubgroupMatrices(gpu) &&
    headDim === ON_MATRICES.headDim &&
    (heads / kvGroups) % MATRIX_SIZE === 0 &&
    gpu.limits.maxComputeWorkgroupStorageSize >= ON_MATRICES.bytes
  )
}

/**
 * Compiles the attention of a decode step over splits of the cache.
 * @param onMatrices whether on subgroup matrices, by default where there are fitting ones
 * @throws KernelArgumentError for heads that do not divide into groups
 */
export async function compileAttentionDecode(
  gpu: Gpu,
  constants: DecodeAttentionConstants,
  onMatrices = decodesOnSubgroupMatrices(gpu, constants),
): Promise<(label: string, buffers: AttentionDecodeBuffers) => Dispatch> {
  const { heads, kvGroups, headDim, capacity } = constants
  if (heads % kvGroups !== 0) {
    throw new KernelArgumentError('attention-decode', `${heads} heads in ${kvGroups} groups`)
  }
  const groupHeads = heads / kvGroups
  const simpleTile = groupHeads % TILE_HEADS === 0 ? TILE_HEADS : groupHeads
  const tileHeads = onMatrices ? MATRIX_SIZE : simpleTile
  const reduction = splitReduction(gpu)
  const shape = { HEADS: heads, KV_GROUPS: kvGroups, CAPACITY: capacity, SPLITS: ATTENTION_SPLITS }
  // Both kernels deal out the cache by tiles of as many rows as a row has lanes.
  const tile = { KEYS: reduction.u32.LANES }
  const pipeline = onMatrices
    ? await gpu.compile('attention-decode on matrices', [splitsSource, matricesSource], {
        enable: MATRIX_EXTENSIONS,
        u32: { ...shape, ...tile },
      })
    : await gpu.compile('attention-decode', [splitsSource, reduction.source, source], {
        enable: reduction.enable,
        u32: { ...reduction.u32, ...shape, ...tile, HEAD_DIM: headDim, TILE_HEADS: tileHeads },
      })
  return (label, { rows, qkv, keys, values, parameters, parts, statistics }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [rows, qkv, keys, values, parameters, parts, statistics]),
    workgroups: (count) => [ATTENTION_SPLITS, heads / tileHeads, count],
  })
}
