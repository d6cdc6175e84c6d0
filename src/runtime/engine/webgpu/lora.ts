import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { compileLora, type LoraConstants } from '../../../kernels/index.js'
import {
  LAYER_PRODUCTS,
  type LinearOperation,
  type LinearWeight,
  type ModelConfig,
  type ModelWeights,
  type ProductRole,
} from '../../model/index.js'
import type { FusedProduct } from './fused-groups.js'

/** The factors of all adapters, and where they lie, as plans are bound to them. */
export interface LoraBuffersOfPlans {
  readonly factors: GPUBuffer
  /** The lines of all products, layer by layer, each at a multiple of `lineBytes`. */
  readonly products: GPUBuffer
  readonly lineBytes: number
  /** u32 [slots, LORA_SLOT_WORDS] */
  readonly slots: GPUBuffer
  /** The highest rank, filled up. */
  readonly maxRank: number
  /** The products that some adapter has factors for. */
  readonly roles: ReadonlySet<ProductRole>
}

/** What an adapter's term goes from and to. */
export interface LoraOperands extends Pick<LoraConstants, 'normEpsilon' | 'turned' | 'maxRows'> {
  readonly weight: LinearWeight
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  readonly x: GPUBuffer
  readonly y: GPUBuffer
  readonly normWeight?: GPUBuffer
  readonly ropeTable?: GPUBuffer
}

/** Gives the dispatches of the terms that adapters add to a product of a layer: none where no adapter has any. */
export type BuildLora = (
  layer: number,
  operation: LinearOperation,
  operands: LoraOperands,
) => Promise<Dispatch[]>

/** Whether fused plans can add all terms: those of the first product, behind which nothing is rounded. */
export function fitsFusedPlans({ roles }: LoraBuffersOfPlans): boolean {
  return [...roles].every((role) => role === 'qkv')
}

/** What adds the terms of adapters in plans. */
export function loraBuilder(gpu: Gpu, buffers: LoraBuffersOfPlans): BuildLora {
  const { factors, products, lineBytes, slots, maxRank, roles } = buffers
  return async (layer, operation, { weight, normEpsilon, turned, maxRows, ...bound }) => {
    if (!roles.has(operation.weight)) return []
    const kernel = await compileLora(gpu, {
      inFeatures: weight.inFeatures,
      outFeatures: weight.outFeatures,
      maxRank,
      maxRows,
      ...(normEpsilon !== undefined && { normEpsilon }),
      ...(turned && {
        turned: { heads: turned.heads, kvGroups: turned.kvGroups, headDim: turned.headDim },
      }),
    })
    const line = layer * LAYER_PRODUCTS.length + LAYER_PRODUCTS.indexOf(operation)
    const ofProduct = { buffer: products, offset: line * lineBytes, size: lineBytes }
    return kernel.bind(`${weight.name}, adapters`, { factors, products: ofProduct, slots, ...bound })
  }
}

/**
 * What adapters add in a fused plan, where the residual stream stands for its norm, and queries and keys are turned already.
 * @param buffers of the plan, with room for `maxRows` rows
 */
export async function loraBehindFused(
  { config, weights }: Readonly<{ config: ModelConfig; weights: ModelWeights }>,
  lora: BuildLora | undefined,
  index: number,
  { norm, linear }: FusedProduct,
  {
    rows,
    hidden,
    qkv,
    maxRows,
  }: Readonly<Record<'rows' | 'hidden' | 'qkv', GPUBuffer>> & {
    readonly maxRows: number
  },
): Promise<Dispatch[]> {
  if (!lora || !norm || linear.weight !== 'qkv') return []
  const layer = weights.layers[index]
  return lora(index, linear, {
    weight: layer.qkv,
    rows,
    maxRows,
    x: hidden,
    y: qkv,
    normWeight: layer[norm.weight],
    normEpsilon: config.epsilon,
    ropeTable: weights.ropeTable,
    turned: config,
  })
}
