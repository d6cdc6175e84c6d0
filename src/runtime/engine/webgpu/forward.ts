import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  compileAttention,
  compileAttentionPrefill,
  compileCacheAppend,
  compileEmbedding,
  compileRmsNorm,
  compileRope,
  compileSwiglu,
} from '../../../kernels/index.js'
import type { LayerWeights, ModelConfig, ModelWeights } from '../../model/index.js'
import type { VariantOf } from '../variants/variants.js'
import type { CacheMemory } from './cache-memory.js'
import { buildLinear, type LinearContext } from './linear.js'

/** What passes between the kernels of a forward pass: f32, `maxRows` rows each. */
export interface Activations {
  readonly maxRows: number
  /** vec4<u32> [maxRows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** The residual stream, [maxRows, hidden]. */
  readonly hidden: GPUBuffer
  /** [maxRows, hidden] */
  readonly normed: GPUBuffer
  /** [maxRows, (heads + 2 kvGroups) * headDim] */
  readonly qkv: GPUBuffer
  /** [maxRows, heads * headDim] */
  readonly attended: GPUBuffer
  /** [maxRows, 2 ffn] */
  readonly gateUp: GPUBuffer
  /** [maxRows, ffn] */
  readonly activated: GPUBuffer
}

/** Which kernels compute a forward pass. */
export interface ForwardVariants extends Omit<LinearContext, 'gpu'> {
  /** Attention of consecutive rows of one sequence (prefill); undefined where rows belong to one each (decode). */
  readonly attention?: VariantOf<'prefillAttention'>
}

/** Rows of a prompt that share a workgroup of the simple attention. */
const SIMPLE_QUERIES = 8

/** Allocates the activations of a forward pass over up to `maxRows` tokens. */
export function allocateActivations(
  gpu: Gpu,
  config: ModelConfig,
  name: string,
  maxRows: number,
): Activations {
  const { hidden, ffn, heads, kvGroups, headDim } = config
  const floats = (label: string, width: number) =>
    gpu.allocate('activations', `${name} ${label}`, maxRows * width * 4)
  // What goes into a product is never needed beside what goes into another one.
  const normed = floats('normed and attended', Math.max(hidden, heads * headDim))
  return {
    maxRows,
    rows: floats('rows', 4),
    hidden: floats('hidden', hidden),
    normed,
    qkv: floats('qkv', (heads + 2 * kvGroups) * headDim),
    attended: normed,
    gateUp: floats('gate and up', 2 * ffn),
    activated: floats('activated', ffn),
  }
}

/** Everything a forward pass reads and writes. */
export interface ForwardContext {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly weights: ModelWeights
  readonly cache: CacheMemory
}

/** The matrix products of a layer. */
export async function buildProducts(
  { gpu }: ForwardContext,
  weights: LayerWeights,
  activations: Activations,
  variants: ForwardVariants,
): Promise<Record<'project' | 'dense' | 'up' | 'down', Dispatch[]>> {
  const { maxRows: rows, hidden, normed, qkv, attended, gateUp, activated } = activations
  const context = { ...variants, gpu }
  const [project, dense, up, down] = await Promise.all([
    buildLinear(context, { weight: weights.qkv, rows, x: normed, y: qkv }),
    buildLinear(context, { weight: weights.dense, rows, x: attended, y: hidden, accumulate: true }),
    buildLinear(context, { weight: weights.gateUp, rows, x: normed, y: gateUp }),
    buildLinear(context, { weight: weights.down, rows, x: activated, y: hidden, accumulate: true }),
  ])
  return { project, dense, up, down }
}

/** The attention of a layer. */
export async function buildAttention(
  { gpu, config, cache }: ForwardContext,
  index: number,
  { maxRows, rows, qkv, attended }: Activations,
  attention: ForwardVariants['attention'],
): Promise<Dispatch[]> {
  const constants = { ...config, slotPages: cache.slotPages, maxRows }
  const kernel =
    attention === undefined || attention === 'simple'
      ? await compileAttention(gpu, { ...constants, queries: attention ? SIMPLE_QUERIES : 1 })
      : await compileAttentionPrefill(gpu, constants, { onMatrices: attention === 'subgroup-matrix' })
  return kernel.bind('attention', { ...cache.layer(index), rows, qkv, y: attended })
}

/** One transformer layer: attention and feed-forward, each behind a norm and added to the residual stream. */
async function layer(
  context: ForwardContext,
  index: number,
  weights: LayerWeights,
  activations: Activations,
  variants: ForwardVariants,
): Promise<Dispatch[]> {
  const { gpu, config, cache } = context
  const { rows, hidden, normed, qkv, gateUp, activated } = activations
  const norm = { width: config.hidden, epsilon: config.epsilon }
  const [normalize, rope, append, swiglu, attend, { project, dense, up, down }] = await Promise.all([
    compileRmsNorm(gpu, norm),
    compileRope(gpu, { ...config, back: false }),
    compileCacheAppend(gpu, { ...config, slotPages: cache.slotPages }),
    compileSwiglu(gpu, { width: config.ffn }),
    buildAttention(context, index, activations, variants.attention),
    buildProducts(context, weights, activations, variants),
  ])
  const { ropeTable } = context.weights
  return [
    ...normalize.bind('input norm', { x: hidden, weight: weights.inputNorm, y: normed }),
    ...project,
    ...rope.bind('rope', { rows, table: ropeTable, qkv }),
    ...append.bind('cache append', { ...cache.layer(index), rows, qkv }),
    ...attend,
    ...dense,
    ...normalize.bind('post-attention norm', { x: hidden, weight: weights.postAttentionNorm, y: normed }),
    ...up,
    ...swiglu.bind('swiglu', { x: gateUp, y: activated }),
    ...down,
  ]
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

/**
 * The dispatches from token ids (in `activations.rows`) to the residual stream behind the last layer, for consecutive
 * tokens of one sequence or one of each, as `variants.attention` says.
 */
export async function buildBody(
  context: ForwardContext,
  activations: Activations,
  variants: ForwardVariants,
): Promise<Dispatch[]> {
  const embedding = await buildEmbedding(context, activations.rows, activations.hidden)
  const layers = await Promise.all(
    context.weights.layers.map((weights, index) => layer(context, index, weights, activations, variants)),
  )
  return [...embedding, ...layers.flat()]
}

/**
 * The dispatches from the residual stream to the logits.
 * @param hidden f32 [rows, hidden]
 * @param normed f32 [rows, hidden], scratch
 * @param logits f32 [rows, vocabulary]
 * @param variants the product for more rows than a few
 */
export async function buildHead(
  context: ForwardContext,
  rows: number,
  hidden: GPUBuffer,
  normed: GPUBuffer,
  logits: GPUBuffer,
  variants: ForwardVariants,
): Promise<Dispatch[]> {
  const { gpu, config, weights } = context
  const normalize = await compileRmsNorm(gpu, { width: config.hidden, epsilon: config.epsilon })
  return [
    ...normalize.bind('final norm', { x: hidden, weight: weights.finalNorm, y: normed }),
    ...(await buildLinear({ ...variants, gpu }, { weight: weights.output, rows, x: normed, y: logits })),
  ]
}
