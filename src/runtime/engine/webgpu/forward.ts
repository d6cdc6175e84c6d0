/**
 * The plain plan: a kernel, or a few, for every operation of the network. Models without 4-bit weights, and whatever a device
 * cannot compute fused, are computed by it.
 */
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  compileCacheAppend,
  compileEmbedding,
  compileRmsNorm,
  compileRope,
  compileSwiglu,
} from '../../../kernels/index.js'
import {
  type Activation,
  activationWidths,
  FINAL_NORM,
  LAYER,
  LAYER_PRODUCTS,
  type LayerActivation,
  type LayerOperation,
  type LinearWeight,
  type ModelConfig,
  type ModelWeights,
  type NormOperation,
  OUTPUT,
} from '../../model/index.js'
import type { CacheMemory } from './cache-memory.js'
import type { BuildLinear } from './linear.js'
import type { BuildLora } from './lora.js'

/** What passes between the kernels of a forward pass: f32, `maxRows` rows each. */
export interface Activations extends Readonly<Record<LayerActivation, GPUBuffer>> {
  readonly maxRows: number
  /** vec4<u32> [maxRows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
}

/** Allocates the activations of a forward pass over up to `maxRows` tokens. */
export function allocateActivations(
  gpu: Gpu,
  config: ModelConfig,
  name: string,
  maxRows: number,
): Activations {
  const widths = activationWidths(config)
  const floats = (label: string, width: number) =>
    gpu.allocate('activations', `${name} ${label}`, maxRows * width * 4)
  // What goes into a product is never needed beside what goes into another one.
  const normed = floats('normed and attended', Math.max(widths.normed, widths.attended))
  return {
    maxRows,
    rows: floats('rows', 4),
    hidden: floats('hidden', widths.hidden),
    normed,
    qkv: floats('qkv', widths.qkv),
    attended: normed,
    gateUp: floats('gate and up', widths.gateUp),
    activated: floats('activated', widths.activated),
  }
}

/** Everything a forward pass reads and writes. */
export interface ForwardContext {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly weights: ModelWeights
  readonly cache: CacheMemory
}

/** Gives the dispatches of a layer's attention, from `qkv` and the cache to `attended`. */
export type BuildAttention = (
  context: ForwardContext,
  layer: number,
  activations: Activations,
) => Promise<Dispatch[]>

/** The kernels of a plan, where there are several for the same. */
export interface PlanKernels {
  readonly product: BuildLinear
  readonly attention: BuildAttention
  /** Where rows may have LoRA adapters: what adds their terms behind a product. */
  readonly lora?: BuildLora | undefined
}

type Buffers<Name extends Activation> = Readonly<Record<Name, GPUBuffer>>

async function lowerNorm(
  { gpu, config }: ForwardContext,
  { label, x, y }: NormOperation<string>,
  weight: GPUBuffer,
  buffers: Buffers<'hidden' | 'normed'>,
): Promise<Dispatch[]> {
  const kernel = await compileRmsNorm(gpu, { width: config.hidden, epsilon: config.epsilon })
  return kernel.bind(label, { x: buffers[x], weight, y: buffers[y] })
}

/** A Linear of the plain plan. */
function lowerLinear<X extends Activation, Y extends Activation>(
  product: BuildLinear,
  { x, y, adds }: { readonly x: X; readonly y: Y; readonly adds: boolean },
  weight: LinearWeight,
  rows: number,
  buffers: Buffers<X | Y>,
): Promise<Dispatch[]> {
  return product({ weight, rows, x: buffers[x], y: buffers[y], accumulate: adds })
}

/** One operation of a layer. */
async function lower(
  context: ForwardContext,
  index: number,
  operation: LayerOperation,
  activations: Activations,
  { product, attention, lora }: PlanKernels,
): Promise<Dispatch[]> {
  const { gpu, config, weights, cache } = context
  const { maxRows, rows } = activations
  const layer = weights.layers[index]
  switch (operation.kind) {
    case 'norm':
      return lowerNorm(context, operation, layer[operation.weight], activations)
    case 'linear': {
      const weight = layer[operation.weight]
      const [x, y] = [activations[operation.x], activations[operation.y]]
      const parts = await Promise.all([
        lowerLinear(product, operation, weight, maxRows, activations),
        lora?.(index, operation, { weight, rows, maxRows, x, y }),
      ])
      return parts.flatMap((dispatches) => dispatches ?? [])
    }
    case 'rope': {
      const kernel = await compileRope(gpu, { ...config, back: false })
      return kernel.bind('rope', { rows, table: weights.ropeTable, qkv: activations[operation.x] })
    }
    case 'append': {
      const kernel = await compileCacheAppend(gpu, { ...config, slotPages: cache.slotPages })
      return kernel.bind('cache append', { ...cache.layer(index), rows, qkv: activations[operation.x] })
    }
    case 'attention':
      return attention(context, index, activations)
    case 'swiglu': {
      const kernel = await compileSwiglu(gpu, { width: config.ffn })
      return kernel.bind('swiglu', { x: activations[operation.x], y: activations[operation.y] })
    }
  }
}

/** The matrix products of a layer, without what is between them. */
export async function buildProducts(
  { weights }: ForwardContext,
  index: number,
  activations: Activations,
  product: BuildLinear,
): Promise<Dispatch[]> {
  const layer = weights.layers[index]
  const products = LAYER_PRODUCTS.map((operation) =>
    lowerLinear(product, operation, layer[operation.weight], activations.maxRows, activations),
  )
  return (await Promise.all(products)).flat()
}

/** The dispatches from token ids to the residual stream: one for each slice of the table. */
export async function buildEmbedding(
  { gpu, config, weights }: ForwardContext,
  rows: GPUBuffer,
  hidden: GPUBuffer,
): Promise<Dispatch[]> {
  const slices = await Promise.all(
    weights.embedding.slices.map(async (slice) => {
      const kernel = await compileEmbedding(gpu, {
        format: slice.format,
        width: config.hidden,
        tokens: slice.rows,
        firstToken: slice.firstRow,
      })
      return kernel.bind('embedding', { ...slice.buffers, rows, y: hidden })
    }),
  )
  return slices.flat()
}

/** The dispatches from token ids (in `activations.rows`) to the residual stream behind the last layer. */
export async function buildBody(
  context: ForwardContext,
  activations: Activations,
  kernels: PlanKernels,
): Promise<Dispatch[]> {
  const operations = context.weights.layers.flatMap((_, index) =>
    LAYER.map((operation) => lower(context, index, operation, activations, kernels)),
  )
  const embedding = buildEmbedding(context, activations.rows, activations.hidden)
  return (await Promise.all([embedding, ...operations])).flat()
}

/**
 * The dispatches from the residual stream to the logits.
 * @param buffers hidden f32 [rows, hidden]; normed f32 [rows, hidden], scratch; logits f32 [rows, vocabulary]
 */
export async function buildHead(
  context: ForwardContext,
  rows: number,
  buffers: Buffers<'hidden' | 'normed' | 'logits'>,
  product: BuildLinear,
): Promise<Dispatch[]> {
  const { finalNorm, output } = context.weights
  const head = await Promise.all([
    lowerNorm(context, FINAL_NORM, finalNorm, buffers),
    lowerLinear(product, OUTPUT, output, rows, buffers),
  ])
  return head.flat()
}
