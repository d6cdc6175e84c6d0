import type { Specialization } from '../../gpu/index.js'
import type { HeadShape } from './heads.js'

/** What becomes of the output of a product, in the kernels that are fused with it. */
export type LinearOutput =
  /** It is stored, or added to the residual stream. */
  | { readonly kind: 'store' | 'add' }
  /** Its two halves are gates and ups: silu(gate) * up. */
  | { readonly kind: 'swiglu' }
  /** It is queries, keys and values: the bias is added, and queries and keys are turned by the position. */
  | ({ readonly kind: 'qkv'; readonly hasBias: boolean } & HeadShape)

/** Where queries, keys and values go. */
export interface QkvBuffers {
  /** f16 [outFeatures] */
  readonly bias: GPUBuffer
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** From `ropeTable`. */
  readonly ropeTable: GPUBuffer
  /** f32 [rows, outFeatures] */
  readonly qkv: GPUBuffer
}

/** What the modules of an output are compiled for. */
export function outputSpecialization(output: LinearOutput): Pick<Specialization, 'u32' | 'bool'> {
  switch (output.kind) {
    case 'swiglu':
      return {}
    case 'qkv': {
      const { heads, kvGroups, headDim, hasBias } = output
      return { u32: { HEADS: heads, KV_GROUPS: kvGroups, HEAD_DIM: headDim }, bool: { HAS_BIAS: hasBias } }
    }
    default:
      return { bool: { ACCUMULATE: output.kind === 'add' } }
  }
}

/** The buffers of an output's bindings, in order. */
export function qkvBindings({ bias, rows, ropeTable, qkv }: QkvBuffers): GPUBuffer[] {
  return [bias, rows, ropeTable, qkv]
}
