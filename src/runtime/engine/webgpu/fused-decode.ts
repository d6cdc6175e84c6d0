import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  ACTIVATION_BLOCK,
  type ActivationBuffers,
  ATTENTION_SPLITS,
  type AttentionBuffers,
  compileAttention,
  compileAttentionCombine,
  compileAttentionDecode,
  compileCacheAppend,
  compileLinearDecode,
  compileRoundActivations,
  type LinearDecodeBuffers,
  type LinearDecodeConstants,
} from '../../../kernels/index.js'
import type { LayerWeights, LinearShape, LinearWeight, ModelConfig, ModelShape } from '../../model/index.js'
import type { VariantOf } from '../variants/variants.js'
import { buildEmbedding, type ForwardContext } from './forward.js'

type DecodeAttention = VariantOf<'decodeAttention'>

/** What passes between the fused kernels of a decode step of one sequence. */
export interface FusedActivations {
  /** vec4<u32> [1]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** The residual stream, f32 [hidden]. */
  readonly hidden: GPUBuffer
  /** f32 [(heads + 2 kvGroups) * headDim] */
  readonly qkv: GPUBuffer
  /** f32 [heads * headDim], of attention that is not split. */
  readonly attended: GPUBuffer
}

function allLinears({ layers, output }: ModelShape): LinearShape[] {
  return [output, ...layers.flatMap(({ qkv, dense, gateUp, down }) => [qkv, dense, gateUp, down])]
}

/** Storage buffers of the projection with bias and RoPE, which has the most. */
const MOST_BINDINGS = 9
/** Workgroup memory of attention over heads of 128, which takes the most. */
const MOST_WORKGROUP_BYTES = 24 * 1024

/**
 * Whether the fused kernels can run a model: 4-bit weights in one piece each, sizes that fill blocks, and an adapter
 * with enough bindings and workgroup memory.
 */
export function canRunFusedDecode(gpu: Gpu, config: ModelConfig, shape: ModelShape): boolean {
  const { maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize } = gpu.limits
  if (maxStorageBuffersPerShaderStage < MOST_BINDINGS) return false
  if (maxComputeWorkgroupStorageSize < MOST_WORKGROUP_BYTES) return false
  const { ffn, heads, headDim } = config
  const fits = allLinears(shape).every(
    ({ slices: [first, ...rest] }) => first.format.type === 'q4' && rest.length === 0,
  )
  const powerOfTwo = (headDim & (headDim - 1)) === 0
  return (
    fits &&
    ffn % ACTIVATION_BLOCK === 0 &&
    (heads * headDim) % ACTIVATION_BLOCK === 0 &&
    headDim % 8 === 0 &&
    powerOfTwo
  )
}

/** The step's linear products share how a weight is bound; only input and output differ. */
async function linear(
  { gpu }: ForwardContext,
  weight: LinearWeight,
  output: LinearDecodeConstants['output'],
  buffers: Omit<LinearDecodeBuffers, 'weight'>,
  normEpsilon?: number,
): Promise<Dispatch[]> {
  const [{ format, buffers: words }] = weight.slices
  const constants = {
    groupSize: format.type === 'f16' ? 0 : format.groupSize,
    inFeatures: weight.inFeatures,
    outFeatures: weight.outFeatures,
    output,
    ...(normEpsilon !== undefined && { normEpsilon }),
  }
  const kernel = await compileLinearDecode(gpu, constants, { alone: gpu.software })
  return kernel.bind(weight.name, { weight: words, ...buffers })
}

/**
 * A decode step of one sequence in six dispatches a layer: norm + projection + bias + RoPE, attention over splits of
 * the cache with the append, their combination, output projection + residual, norm + gate and up + SwiGLU, down
 * projection + residual. Activations go between matrix products in 8 bits. Attention that is not split is three
 * dispatches: the append, attention, and the rounding to 8 bits.
 */
export class FusedDecode {
  readonly #context: ForwardContext
  readonly #activations: FusedActivations
  readonly #parts: { readonly parts: GPUBuffer; readonly statistics: GPUBuffer }
  readonly #attended: ActivationBuffers
  readonly #activated: ActivationBuffers

  constructor(context: ForwardContext, activations: FusedActivations) {
    const { gpu, config } = context
    const { heads, headDim, ffn } = config
    const blocks = (label: string, elements: number): ActivationBuffers => ({
      blocks: gpu.allocate('activations', `${label} in 8 bits`, elements),
      scales: gpu.allocate('activations', `${label} scales`, (elements / ACTIVATION_BLOCK) * 8),
    })
    this.#context = context
    this.#activations = activations
    this.#parts = {
      parts: gpu.allocate('activations', 'attention parts', heads * ATTENTION_SPLITS * headDim * 4),
      statistics: gpu.allocate('activations', 'attention statistics', heads * ATTENTION_SPLITS * 8),
    }
    this.#attended = blocks('attended', heads * headDim)
    this.#activated = blocks('activated', ffn)
  }

  /** From the token to the residual stream behind the last layer. */
  async body(variant: DecodeAttention): Promise<Dispatch[]> {
    const { weights } = this.#context
    const { rows, hidden } = this.#activations
    const embedding = await buildEmbedding(this.#context, rows, hidden)
    const layers = await Promise.all(weights.layers.map((layer, index) => this.#layer(layer, index, variant)))
    return [...embedding, ...layers.flat()]
  }

  /** From the residual stream to the logits. */
  async head(logits: GPUBuffer): Promise<Dispatch[]> {
    const { weights, config } = this.#context
    const input = { hidden: this.#activations.hidden, normWeight: weights.finalNorm }
    return linear(
      this.#context,
      weights.output,
      { kind: 'store' },
      { input, output: { y: logits } },
      config.epsilon,
    )
  }

  /** The attention of a layer, from the projection to 8-bit activations. */
  async attention(index: number, variant: DecodeAttention): Promise<Dispatch[]> {
    const { gpu, config, cache } = this.#context
    const { rows, qkv } = this.#activations
    const buffers = { ...cache.layer(index), rows, qkv }
    if (variant === 'unsplit') return this.#unsplit(buffers)
    const constants = { ...config, slotPages: cache.slotPages }
    const [attend, combine] = await Promise.all([
      compileAttentionDecode(gpu, constants, { onMatrices: variant === 'subgroup-matrix' }),
      compileAttentionCombine(gpu, config),
    ])
    return [
      ...attend.bind('attention', { ...buffers, ...this.#parts }),
      ...combine.bind('combine', { rows, ...this.#parts, output: this.#attended }),
    ]
  }

  async #unsplit(buffers: Omit<AttentionBuffers, 'y'>): Promise<Dispatch[]> {
    const { gpu, config, cache } = this.#context
    const { attended } = this.#activations
    const constants = { ...config, slotPages: cache.slotPages }
    const [append, attend, round] = await Promise.all([
      compileCacheAppend(gpu, constants),
      compileAttention(gpu, { ...constants, queries: 1, maxRows: 1 }),
      compileRoundActivations(gpu, { elements: config.heads * config.headDim }),
    ])
    return [
      ...append.bind('cache append', buffers),
      ...attend.bind('attention', { ...buffers, y: attended }),
      ...round.bind('attended in 8 bits', { x: attended, output: this.#attended }),
    ]
  }

  async #layer(layer: LayerWeights, index: number, variant: DecodeAttention): Promise<Dispatch[]> {
    const context = this.#context
    const { gpu, config, weights } = context
    const { heads, kvGroups, headDim, epsilon } = config
    const { rows, hidden, qkv } = this.#activations
    const normed = (normWeight: GPUBuffer) => ({ hidden, normWeight })
    const projection = {
      kind: 'qkv',
      hasBias: layer.qkv.bias !== undefined,
      heads,
      kvGroups,
      headDim,
    } as const
    const projected = { bias: layer.qkv.bias ?? gpu.empty, rows, ropeTable: weights.ropeTable, qkv }
    const [attend, project, dense, gateUp, down] = await Promise.all([
      this.attention(index, variant),
      linear(context, layer.qkv, projection, { input: normed(layer.inputNorm), output: projected }, epsilon),
      linear(context, layer.dense, { kind: 'add' }, { input: this.#attended, output: { y: hidden } }),
      linear(
        context,
        layer.gateUp,
        { kind: 'swiglu' },
        { input: normed(layer.postAttentionNorm), output: this.#activated },
        epsilon,
      ),
      linear(context, layer.down, { kind: 'add' }, { input: this.#activated, output: { y: hidden } }),
    ])
    return [...project, ...attend, ...dense, ...gateUp, ...down]
  }
}
