import {
  ATTENTION_SPLITS,
  type AttentionParts,
  type DecodeAttentionConstants,
  splitReduction,
} from '../common/decode-attention.js'
import splitsSource from '../common/splits.wgsl?raw'
import type { Dispatch } from '../dispatch.js'
import { KernelArgumentError } from '../errors.js'
import type { Gpu } from '../gpu.js'
import source from './attention-decode.wgsl?raw'

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

/**
 * Compiles the attention of a decode step over splits of the cache.
 * @throws KernelArgumentError for heads that do not divide into groups
 */
export async function compileAttentionDecode(
  gpu: Gpu,
  { heads, kvGroups, headDim, capacity }: DecodeAttentionConstants,
): Promise<(label: string, buffers: AttentionDecodeBuffers) => Dispatch> {
  if (heads % kvGroups !== 0) {
    throw new KernelArgumentError('attention-decode', `${heads} heads in ${kvGroups} groups`)
  }
  const groupHeads = heads / kvGroups
  const tileHeads = groupHeads % TILE_HEADS === 0 ? TILE_HEADS : groupHeads
  const reduction = splitReduction(gpu)
  const pipeline = await gpu.compile('attention-decode', [splitsSource, reduction.source, source], {
    enable: reduction.enable,
    u32: {
      ...reduction.u32,
      HEADS: heads,
      KV_GROUPS: kvGroups,
      HEAD_DIM: headDim,
      CAPACITY: capacity,
      TILE_HEADS: tileHeads,
      KEYS: reduction.u32.LANES,
      SPLITS: ATTENTION_SPLITS,
    },
  })
  return (label, { rows, qkv, keys, values, parameters, parts, statistics }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [rows, qkv, keys, values, parameters, parts, statistics]),
    workgroups: (count) => [ATTENTION_SPLITS, heads / tileHeads, count],
  })
}
