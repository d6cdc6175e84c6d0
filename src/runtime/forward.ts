import {
  compileAttention,
  compileAttentionPrefill,
  compileCacheAppend,
  compileEmbedding,
  compileMatmul,
  compileMatmulSubgroup,
  compileMatvec,
  compileRmsNorm,
  compileRope,
  compileSwiglu,
  type Dispatch,
  type Gpu,
  halfMatrixShape,
  MATVEC_MAX_ROWS,
} from '../kernels/index.js'
import type { KeyValueCache } from './cache.js'
import type { ModelConfig } from './config.js'
import type { LayerWeights, LinearWeight, ModelWeights } from './weights.js'

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

/** Rows of a prompt that share a workgroup where heads are too small for the kernel for prompts. */
const FALLBACK_QUERIES = 8

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
  return {
    maxRows,
    rows: floats('rows', 4),
    hidden: floats('hidden', hidden),
    normed: floats('normed', hidden),
    qkv: floats('qkv', (heads + 2 * kvGroups) * headDim),
    attended: floats('attended', heads * headDim),
    gateUp: floats('gate and up', 2 * ffn),
    activated: floats('activated', ffn),
  }
}

/** Everything a forward pass reads and writes. */
export interface ForwardContext {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly weights: ModelWeights
  readonly cache: KeyValueCache
  /** f32 [1]: the logarithm of the prefix's strength. */
  readonly attentionParameters: GPUBuffer
}

/** The matrix product for so many rows: for few, for many on subgroup matrices, for many elsewhere. */
function linearCompiler(gpu: Gpu, rows: number): typeof compileMatmul {
  if (rows <= MATVEC_MAX_ROWS) return compileMatvec
  return halfMatrixShape(gpu) ? compileMatmulSubgroup : compileMatmul
}

/** y (+)= x * w^T (+ bias): one dispatch for each slice of the weight. */
async function linear(
  { gpu }: ForwardContext,
  weight: LinearWeight,
  rows: number,
  x: GPUBuffer,
  y: GPUBuffer,
  accumulate = false,
): Promise<Dispatch[]> {
  const compile = linearCompiler(gpu, rows)
  return Promise.all(
    weight.slices.map(async (slice) => {
      const constants = {
        format: slice.format,
        inFeatures: weight.inFeatures,
        outFeatures: slice.rows,
        outStride: weight.outFeatures,
        outOffset: slice.firstRow,
        hasBias: weight.bias !== undefined,
        accumulate,
      }
      const bind = await compile(gpu, constants, rows)
      return bind(weight.name, { ...slice.buffers, x, y, ...(weight.bias && { bias: weight.bias }) })
    }),
  )
}

/** Heads that the kernel for prompts takes are multiples of this. */
const PREFILL_HEAD_UNIT = 16

/** Attention of rows that follow each other in one sequence, or that belong to one sequence each. */
function attentionOf({ gpu, config, cache }: ForwardContext, maxRows: number, oneSequence: boolean) {
  const { heads, kvGroups, headDim } = config
  const constants = { heads, kvGroups, headDim, capacity: cache.capacity, maxRows }
  if (oneSequence && headDim % PREFILL_HEAD_UNIT === 0) return compileAttentionPrefill(gpu, constants)
  return compileAttention(gpu, { ...constants, queries: oneSequence ? FALLBACK_QUERIES : 1 })
}

/** One transformer layer: attention and feed-forward, each behind a norm and added to the residual stream. */
async function layer(
  context: ForwardContext,
  index: number,
  weights: LayerWeights,
  activations: Activations,
  oneSequence: boolean,
): Promise<Dispatch[]> {
  const { gpu, config, cache, attentionParameters } = context
  const { maxRows, rows, hidden, normed, qkv, attended, gateUp, activated } = activations
  const keys = cache.keys[index]
  const values = cache.values[index]
  const norm = { width: config.hidden, epsilon: config.epsilon }
  const [normalize, rope, append, attend, swiglu] = await Promise.all([
    compileRmsNorm(gpu, norm),
    compileRope(gpu, config),
    compileCacheAppend(gpu, config, cache.capacity),
    attentionOf(context, maxRows, oneSequence),
    compileSwiglu(gpu, config.ffn),
  ])
  const [project, dense, up, down] = await Promise.all([
    linear(context, weights.qkv, maxRows, normed, qkv),
    linear(context, weights.dense, maxRows, attended, hidden, true),
    linear(context, weights.gateUp, maxRows, normed, gateUp),
    linear(context, weights.down, maxRows, activated, hidden, true),
  ])
  const { ropeTable } = context.weights
  return [
    normalize('input norm', { x: hidden, weight: weights.inputNorm, y: normed }),
    ...project,
    rope('rope', { rows, table: ropeTable, qkv }),
    append('cache append', { rows, qkv, keys, values }),
    attend('attention', { rows, qkv, keys, values, parameters: attentionParameters, y: attended }),
    ...dense,
    normalize('post-attention norm', { x: hidden, weight: weights.postAttentionNorm, y: normed }),
    ...up,
    swiglu('swiglu', { x: gateUp, y: activated }),
    ...down,
  ]
}

/** The dispatches from token ids to the residual stream: one for each slice of the table. */
export function buildEmbedding(
  { gpu, config, weights }: ForwardContext,
  rows: GPUBuffer,
  hidden: GPUBuffer,
): Promise<Dispatch[]> {
  return Promise.all(
    weights.embedding.slices.map(async (slice) => {
      const bind = await compileEmbedding(gpu, {
        format: slice.format,
        width: config.hidden,
        tokens: slice.rows,
        firstToken: slice.firstRow,
      })
      return bind('embedding', { ...slice.buffers, rows, y: hidden })
    }),
  )
}

/**
 * The dispatches from token ids (in `activations.rows`) to the residual stream behind the last layer.
 * @param oneSequence whether the rows are consecutive tokens of one sequence (prefill) or one of each (decode)
 */
export async function buildBody(
  context: ForwardContext,
  activations: Activations,
  oneSequence: boolean,
): Promise<Dispatch[]> {
  const embedding = await buildEmbedding(context, activations.rows, activations.hidden)
  const layers = await Promise.all(
    context.weights.layers.map((weights, index) => layer(context, index, weights, activations, oneSequence)),
  )
  return [...embedding, ...layers.flat()]
}

/**
 * The dispatches from the residual stream to the logits.
 * @param hidden f32 [rows, hidden]
 * @param normed f32 [rows, hidden], scratch
 * @param logits f32 [rows, vocabulary]
 */
export async function buildHead(
  context: ForwardContext,
  rows: number,
  hidden: GPUBuffer,
  normed: GPUBuffer,
  logits: GPUBuffer,
): Promise<Dispatch[]> {
  const { gpu, config, weights } = context
  const normalize = await compileRmsNorm(gpu, { width: config.hidden, epsilon: config.epsilon })
  return [
    normalize('final norm', { x: hidden, weight: weights.finalNorm, y: normed }),
    ...(await linear(context, weights.output, rows, normed, logits)),
  ]
}
