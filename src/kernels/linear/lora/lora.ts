import type { BufferRange, Gpu } from '../../../gpu/index.js'
import type { HeadShape } from '../../common/heads.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { workgroupReduction } from '../../common/reduce.js'
import turnFourSource from '../../common/turn-four.wgsl?raw'
import { kernelArgument } from '../../errors.js'
import inputNormSource from './input-norm.wgsl?raw'
import inputPlainSource from './input-plain.wgsl?raw'
import source from './lora.wgsl?raw'
import outputPlainSource from './output-plain.wgsl?raw'
import outputTurnedSource from './output-turned.wgsl?raw'

/** Factors of adapters lie in memory in octets of f16; ranks, and rows of A, are filled up to whole ones with zeros. */
export const LORA_OCTET = 8
/** Words of an adapter's line in a table of products: first octet of A, first octet of B, octets of the rank, scale. */
export const LORA_PRODUCT_WORDS = 4
/** Words of a slot: number of its adapter and 1, or 0 for none; strength. */
export const LORA_SLOT_WORDS = 2

export interface LoraConstants {
  readonly inFeatures: number
  readonly outFeatures: number
  /** The highest rank of any adapter. */
  readonly maxRank: number
  /** Rows at a time, at most: few are spread over the GPU. */
  readonly maxRows: number
  /** The input is the RMSNorm of the residual stream, with this epsilon; else it is what goes into the product. */
  readonly normEpsilon?: number
  /** The product put out queries, keys and values of these heads, turned by the position already. */
  readonly turned?: HeadShape
}

export interface LoraBuffers {
  /** f16, in octets. */
  readonly factors: GPUBuffer
  /** u32 [adapters, LORA_PRODUCT_WORDS]: where the factors of this product are. */
  readonly products: BufferRange
  /** u32 [slots, LORA_SLOT_WORDS] */
  readonly slots: GPUBuffer
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** f32 [rows, inFeatures] */
  readonly x: GPUBuffer
  /** f16 [inFeatures]; bound only where x is the residual stream. */
  readonly normWeight?: GPUBuffer
  /** From `ropeTable`; bound only where the output was turned. */
  readonly ropeTable?: GPUBuffer
  /** f32 [rows, outFeatures], added to. */
  readonly y: GPUBuffer
}

/** Rows up to which each is shared by several workgroups. */
const FEW_ROWS = 64

/**
 * Compiles what adapters add to a product: y[r] += scale * B (A x[r]), with the adapter and the strength of each row's slot.
 * @throws `option.kernel-argument` for sizes that do not divide into fours, or a rank that is no multiple of 8
 */
export async function compileLora(gpu: Gpu, constants: LoraConstants): Promise<Kernel<LoraBuffers>> {
  const { inFeatures, outFeatures, maxRank, maxRows, normEpsilon, turned } = constants
  if (inFeatures % 4 !== 0 || outFeatures % 4 !== 0 || maxRank < 1 || maxRank % LORA_OCTET !== 0) {
    throw kernelArgument('lora', `[${outFeatures}, ${inFeatures}] with a rank of ${maxRank}`)
  }
  const workgroupSize = gpu.workgroupSize(256)
  const reduction = workgroupReduction(gpu, workgroupSize)
  const tiles = maxRows > FEW_ROWS ? 1 : Math.ceil(outFeatures / (4 * workgroupSize))
  const modules = [
    ...(turned ? [turnFourSource, outputTurnedSource] : [outputPlainSource]),
    normEpsilon === undefined ? inputPlainSource : inputNormSource,
    reduction.source,
    source,
  ]
  const pipeline = await gpu.compile('lora', modules, {
    enable: reduction.enable,
    u32: {
      ...reduction.u32,
      IN: inFeatures,
      OUT: outFeatures,
      MAX_RANK: maxRank,
      TILES: tiles,
      ...(turned && { HEADS: turned.heads, KV_GROUPS: turned.kvGroups, HEAD_DIM: turned.headDim }),
    },
    f32: { EPSILON: normEpsilon ?? 0 },
    bool: { NORM: normEpsilon !== undefined },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ factors, products, slots, rows, x, y, normWeight, ropeTable }) => [
      factors,
      products,
      slots,
      rows,
      x,
      y,
      normWeight,
      ropeTable,
    ],
    (count) => [tiles, count, 1],
  )
}
