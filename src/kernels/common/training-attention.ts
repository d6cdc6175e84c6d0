import type { BufferRange, Gpu } from '../../gpu/index.js'
import { kernelArgument } from '../errors.js'
import type { HeadShape } from './heads.js'
import { hasSubgroupMatrices } from './subgroup-matrices.js'

/** The shape of attention in training: sequences behind a prefix that is trained, all in f32. */
export interface TrainingAttentionConstants extends HeadShape {
  /** Rows of the prefix; 0 where there is none. */
  readonly prefixLength: number
  /** Columns of a row of the prefix's buffer, which may hold other layers too; a multiple of 4. */
  readonly prefixStride: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
  /** Whether the rows may belong to several sequences, one behind the other; else all belong to one. */
  readonly packed?: boolean
}

/** What attention reads, forward and backward. */
export interface TrainingAttentionBuffers {
  /**
   * u32: how many rows there are; rows behind them are neither read nor written. Where `packed`, [1 + 2 maxRows], it goes
   * on with two words for each row: the first row of its sequence, and the one behind its last.
   */
  readonly sequences: GPUBuffer
  /** f32 [maxRows, (heads + 2 kvGroups) * headDim], after RoPE: queries, keys, values. */
  readonly qkv: GPUBuffer
  /**
   * f32 [prefixLength, prefixStride], of which a layer's columns are read from the binding's offset on: keys
   * [kvGroups * headDim], never rotated, then values. One layer of a prefix encoder's output as the official
   * `get_prompt` cuts it; the offset must be a multiple of 256 bytes.
   */
  readonly prefix: BufferRange
  /** Output of the forward pass, f32 [maxRows, heads * headDim]. */
  readonly y: GPUBuffer
  /** Output of the forward pass, f32 [maxRows, heads]: logarithm of the sum of exponentials of a query's scores. */
  readonly logSumExp: GPUBuffer
}

/** The words of `sequences` for each row: the first row of its sequence, and the one behind its last. */
export function sequenceBounds(lengths: readonly number[]): number[] {
  let begin = 0
  return lengths.flatMap((length) => {
    const bounds = [begin, begin + length]
    begin += length
    return new Array<number[]>(length).fill(bounds).flat()
  })
}

/** The part of the prelude that the kernels of attention in training share. */
export function trainingAttentionSpecialization(
  kernel: string,
  { heads, kvGroups, headDim, prefixLength, prefixStride, maxRows }: TrainingAttentionConstants,
) {
  if (heads % kvGroups !== 0) throw kernelArgument(kernel, `${heads} heads in ${kvGroups} groups`)
  if (headDim % 4 !== 0) throw kernelArgument(kernel, `heads of ${headDim}, which is no multiple of 4`)
  if (prefixStride % 4 !== 0 || prefixStride < 2 * kvGroups * headDim) {
    throw kernelArgument(kernel, `rows of ${prefixStride} columns for a prefix of ${2 * kvGroups * headDim}`)
  }
  return {
    HEADS: heads,
    KV_GROUPS: kvGroups,
    HEAD_DIM: headDim,
    PREFIX: prefixLength,
    PREFIX_STRIDE: prefixStride,
    MAX_ROWS: maxRows,
  }
}

/** What the kernels on subgroup matrices are written for, and the most that one takes of workgroup memory. */
const ON_MATRICES = { headDim: 128, bytes: 32_272 }

/** How attention in training is computed, forward and backward. */
export interface TrainingAttentionOptions {
  /**
   * Whether on subgroup matrices, with what is multiplied rounded to f16, only where `canRunTrainingAttentionSubgroup`;
   * else in f32.
   */
  readonly onMatrices: boolean
}

/** Whether attention in training can be computed on subgroup matrices: not where sequences are packed. */
export function canRunTrainingAttentionSubgroup(
  gpu: Gpu,
  { headDim, packed = false }: HeadShape & Pick<TrainingAttentionConstants, 'packed'>,
): boolean {
  const fits = gpu.limits.maxComputeWorkgroupStorageSize >= ON_MATRICES.bytes
  return hasSubgroupMatrices(gpu) && headDim === ON_MATRICES.headDim && !packed && fits
}

/** @throws `option.kernel-argument` where subgroup matrices are asked for that cannot be used */
export function checkTrainingAttentionOptions(
  gpu: Gpu,
  kernel: string,
  constants: TrainingAttentionConstants,
  { onMatrices }: TrainingAttentionOptions,
): void {
  if (onMatrices && !canRunTrainingAttentionSubgroup(gpu, constants)) {
    throw kernelArgument(kernel, 'this GPU has no subgroup matrices for heads of this shape')
  }
}

/** Rows of heads in a large tile of the kernels for any adapter, and what they keep besides. */
const LARGE_TILE = { rows: 48, bytes: 2560 }

/**
 * Whether the kernels for any adapter may take large tiles: where workgroup memory has room for them, but not on software
 * adapters, which compile for long where an invocation has many sums.
 */
export function canRunLargeTiles(gpu: Gpu, { headDim }: HeadShape): boolean {
  const bytes = LARGE_TILE.rows * (headDim + 4) * 4 + LARGE_TILE.bytes
  return !gpu.software && gpu.limits.maxComputeWorkgroupStorageSize >= bytes
}

/** The same for the kernels that run on any adapter, with the size of their workgroups, and whether rows are packed. */
export function tiledAttentionSpecialization(
  gpu: Gpu,
  kernel: string,
  constants: TrainingAttentionConstants,
) {
  const workgroupSize = gpu.workgroupSize(64)
  // An invocation has sums in four columns.
  if (constants.headDim > 4 * workgroupSize) {
    throw kernelArgument(kernel, `heads of ${constants.headDim}, more than ${4 * workgroupSize}`)
  }
  return {
    u32: { ...trainingAttentionSpecialization(kernel, constants), WORKGROUP_SIZE: workgroupSize },
    bool: { PACKED: constants.packed ?? false },
  }
}
