import { KernelArgumentError } from '../errors.js'
import type { BufferRange, Gpu } from '../gpu.js'
import type { HeadShape } from './heads.js'

/** The shape of attention in training: one sequence, behind a prefix that is trained, all in f32. */
export interface TrainingAttentionConstants extends HeadShape {
  /** Rows of the prefix, from 1 on. */
  readonly prefixLength: number
  /** Columns of a row of the prefix's buffer, which may hold other layers too; a multiple of 4. */
  readonly prefixStride: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

/** What attention reads, forward and backward. */
export interface TrainingAttentionBuffers {
  /** u32 [1]: rows of this sequence. Rows behind it are neither read nor written. */
  readonly length: GPUBuffer
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

/** The part of the prelude that the kernels of attention in training share. */
export function trainingAttentionSpecialization(
  kernel: string,
  { heads, kvGroups, headDim, prefixLength, prefixStride, maxRows }: TrainingAttentionConstants,
) {
  if (heads % kvGroups !== 0) throw new KernelArgumentError(kernel, `${heads} heads in ${kvGroups} groups`)
  if (headDim % 4 !== 0)
    throw new KernelArgumentError(kernel, `heads of ${headDim}, which is no multiple of 4`)
  if (prefixStride % 4 !== 0 || prefixStride < 2 * kvGroups * headDim) {
    throw new KernelArgumentError(
      kernel,
      `rows of ${prefixStride} columns for a prefix of ${2 * kvGroups * headDim}`,
    )
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

/** Invocations of a workgroup of the kernels for any adapter. */
export function trainingWorkgroupSize(gpu: Gpu): number {
  return gpu.workgroupSize(64)
}
