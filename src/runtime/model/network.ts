/**
 * The network, written once: the operations between token ids and logits, in order, with what they read and write.
 *
 * There are three ways to lower these lists to work for a GPU. The plain plan makes a kernel of every operation
 * (`engine/webgpu/forward.ts`), the fused plan puts neighbours into one kernel (`engine/webgpu/fused-decode.ts`), and
 * training goes through them forwards and backwards (`finetune/engine/layer.ts`). What else must know the matrices of
 * a layer, such as loading, choosing kernels and estimating memory, takes them from here, too.
 */
import type { HeadShape } from '../../kernels/index.js'
import type { ModelConfig } from './config.js'

/** What passes between the operations of a layer: f32 [rows, width], the width from `activationWidths`. */
export type LayerActivation = 'hidden' | 'normed' | 'qkv' | 'attended' | 'gateUp' | 'activated'
export type Activation = LayerActivation | 'logits'

/** The norms of a layer. */
export type NormRole = 'inputNorm' | 'postAttentionNorm'
/** The matrices of a layer. */
export type ProductRole = 'qkv' | 'dense' | 'gateUp' | 'down'

/** y = RMSNorm(x) * weight. */
export interface NormOperation<Role extends string = NormRole> {
  readonly kind: 'norm'
  readonly weight: Role
  /** For people: what a profile calls it. */
  readonly label: string
  readonly x: 'hidden'
  readonly y: 'normed'
}

/**
 * y = x w^T (+ bias), or y += x w^T (+ bias) where it adds to the residual stream. A Linear is the place where an adapter,
 * such as LoRA, adds its term: from the same x, to the same y.
 */
export interface LinearOperation<Role extends string = ProductRole, Y extends Activation = LayerActivation> {
  readonly kind: 'linear'
  readonly weight: Role
  /** The vector that may be added, if the model has it. */
  readonly bias?: 'qkvBias'
  readonly x: LayerActivation
  readonly y: Y
  /** Whether y is the residual stream, which it adds to. */
  readonly adds: boolean
}

/** What a layer is made of. */
export type LayerOperation =
  | NormOperation
  | LinearOperation
  /** Rotates queries and keys by their position, in place. */
  | { readonly kind: 'rope'; readonly x: 'qkv'; readonly y: 'qkv' }
  /** Writes keys and values to the cache. */
  | { readonly kind: 'append'; readonly x: 'qkv' }
  /** Attention of each row over the prefix, and over the positions up to its own. */
  | { readonly kind: 'attention'; readonly x: 'qkv'; readonly y: 'attended' }
  /** y = silu(gate) * up. */
  | { readonly kind: 'swiglu'; readonly x: 'gateUp'; readonly y: 'activated' }

/** From the input of a layer to its output: attention, then feed-forward, each added to the residual stream. */
export const LAYER: readonly LayerOperation[] = [
  { kind: 'norm', weight: 'inputNorm', label: 'input norm', x: 'hidden', y: 'normed' },
  { kind: 'linear', weight: 'qkv', bias: 'qkvBias', x: 'normed', y: 'qkv', adds: false },
  { kind: 'rope', x: 'qkv', y: 'qkv' },
  { kind: 'append', x: 'qkv' },
  { kind: 'attention', x: 'qkv', y: 'attended' },
  { kind: 'linear', weight: 'dense', x: 'attended', y: 'hidden', adds: true },
  { kind: 'norm', weight: 'postAttentionNorm', label: 'post-attention norm', x: 'hidden', y: 'normed' },
  { kind: 'linear', weight: 'gateUp', x: 'normed', y: 'gateUp', adds: false },
  { kind: 'swiglu', x: 'gateUp', y: 'activated' },
  { kind: 'linear', weight: 'down', x: 'activated', y: 'hidden', adds: true },
]

/** The final norm: from the output of the last layer. */
export const FINAL_NORM: NormOperation<'finalNorm'> = {
  kind: 'norm',
  weight: 'finalNorm',
  label: 'final norm',
  x: 'hidden',
  y: 'normed',
}

/** The output layer: a logit for every id. */
export const OUTPUT: LinearOperation<'output', 'logits'> & { readonly x: 'normed' } = {
  kind: 'linear',
  weight: 'output',
  x: 'normed',
  y: 'logits',
  adds: false,
}

/** Where the first half of a layer ends: in a product that adds to the residual stream, as the second does. */
const MIDDLE = 1 + LAYER.findIndex((operation) => operation.kind === 'linear' && operation.adds)
/** The first half of a layer: attention. */
export const ATTENTION_HALF = LAYER.slice(0, MIDDLE)
/** The second half of a layer: feed-forward, each row for itself. */
export const FEED_FORWARD_HALF = LAYER.slice(MIDDLE)

/** The products of a layer, in order. */
export const LAYER_PRODUCTS: readonly LinearOperation[] = LAYER.filter(
  (operation) => operation.kind === 'linear',
)

/** What a layer has for each of its matrices, in order. */
export function productsOf<T>(layer: Readonly<Record<ProductRole, T>>): T[] {
  return LAYER_PRODUCTS.map(({ weight }) => layer[weight])
}

/** Something for each matrix of a layer. */
export function byProduct<T>(make: (operation: LinearOperation) => T): Readonly<Record<ProductRole, T>> {
  const made = LAYER_PRODUCTS.map((operation) => [operation.weight, make(operation)])
  return Object.fromEntries(made) as Record<ProductRole, T>
}

/** The same for what takes a while: all is made at once. */
export async function byProductAsync<T>(
  make: (operation: LinearOperation) => Promise<T>,
): Promise<Readonly<Record<ProductRole, T>>> {
  const making = LAYER_PRODUCTS.map(async (operation) => [operation.weight, await make(operation)] as const)
  return Object.fromEntries(await Promise.all(making)) as Record<ProductRole, T>
}

/** What the widths of activations depend on. */
type Sizes = Pick<ModelConfig, 'hidden' | 'ffn' | 'vocabulary' | keyof HeadShape>

/** Elements of a row of each activation. `qkv` is the queries of all heads, then the keys and the values of all groups. */
export function activationWidths(sizes: Sizes): Readonly<Record<Activation, number>> {
  const { hidden, ffn, heads, kvGroups, headDim, vocabulary } = sizes
  return {
    hidden,
    normed: hidden,
    qkv: (heads + 2 * kvGroups) * headDim,
    attended: heads * headDim,
    gateUp: 2 * ffn,
    activated: ffn,
    logits: vocabulary,
  }
}
