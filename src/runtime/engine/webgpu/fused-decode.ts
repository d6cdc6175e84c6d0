/**
 * The fused plan: a decode step of one sequence, in which neighbours of the network's list share a kernel and activations
 * go between matrix products in 8 bits.
 */
import type { Dispatch, Gpu } from '../../../gpu/index.js'
import {
  ACTIVATION_BLOCK,
  type ActivationBuffers,
  type AttentionCombineBuffers,
  attentionPartsBytes,
  attentionSplits,
  compileLinearDecode,
  type LinearDecodeBuffers,
  type LinearDecodeConstants,
  type LinearDecodeOptions,
} from '../../../kernels/index.js'
import {
  activationWidths,
  allProducts,
  type LinearWeight,
  type ModelConfig,
  type ModelShape,
} from '../../model/index.js'
import { buildEmbedding, type ForwardContext } from './forward.js'
import { FUSED_GROUPS, type FusedProduct } from './fused-groups.js'
import { type BuildLora, loraBehindFused } from './lora.js'

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

/** What the attention of a fused step reads and writes, beside the cache. */
export interface FusedAttentionBuffers extends Omit<FusedActivations, 'hidden'> {
  /** Of each split: f32 [heads, splits, headDim] */
  readonly parts: GPUBuffer
  readonly statistics: GPUBuffer
  /** `attended`, rounded for the next product. */
  readonly output: AttentionCombineBuffers['output']
  /** Rows that there is room for. */
  readonly maxRows: number
  /** Parts that the cache of a long sequence is split into. */
  readonly splits: number
}

/** Gives the dispatches of a layer's append and attention, from `qkv` to `attended` in 8 bits. */
export type BuildFusedAttention = (
  context: ForwardContext,
  layer: number,
  buffers: FusedAttentionBuffers,
) => Promise<Dispatch[]>

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
  const { headDim } = config
  const { attended, activated } = activationWidths(config)
  const fits = allProducts(shape).every(
    ({ slices: [first, ...rest] }) => first.format.type === 'q4' && rest.length === 0,
  )
  const powerOfTwo = (headDim & (headDim - 1)) === 0
  return (
    fits &&
    activated % ACTIVATION_BLOCK === 0 &&
    attended % ACTIVATION_BLOCK === 0 &&
    headDim % 8 === 0 &&
    powerOfTwo
  )
}

/** A Linear of the fused plan: how a weight is bound is the same for all, only input and output differ. */
async function linear(
  gpu: Gpu,
  weight: LinearWeight,
  { output, normEpsilon }: Pick<LinearDecodeConstants, 'output' | 'normEpsilon'>,
  buffers: Omit<LinearDecodeBuffers, 'weight'>,
  options: LinearDecodeOptions,
): Promise<Dispatch[]> {
  const [{ format, buffers: words }] = weight.slices
  const constants = {
    groupSize: format.type === 'f16' ? 0 : format.groupSize,
    inFeatures: weight.inFeatures,
    outFeatures: weight.outFeatures,
    output,
    ...(normEpsilon !== undefined && { normEpsilon }),
  }
  const kernel = await compileLinearDecode(gpu, constants, options)
  return kernel.bind(weight.name, { weight: words, ...buffers })
}

/** Room for the parts of attention over splits of the cache. */
export function allocateParts({ gpu, config }: ForwardContext, maxRows: number) {
  const bytes = attentionPartsBytes(config, maxRows, { splits: attentionSplits(maxRows) })
  return {
    parts: gpu.allocate('activations', 'attention parts', bytes.parts),
    statistics: gpu.allocate('activations', 'attention statistics', bytes.statistics),
  }
}

/**
 * A decode step of one sequence in six dispatches a layer: norm + projection + bias + RoPE, attention over splits of
 * the cache with the append, their combination, output projection + residual, norm + gate and up + SwiGLU, down
 * projection + residual. Attention that is not split is three dispatches: the append, attention, and the rounding to 8
 * bits.
 */
export class FusedDecode {
  readonly #context: ForwardContext
  readonly #activations: FusedActivations
  readonly #parts: ReturnType<typeof allocateParts>
  /** What goes into a product without a norm. */
  readonly #rounded: Readonly<Record<string, ActivationBuffers>>

  constructor(context: ForwardContext, activations: FusedActivations) {
    const { gpu, config } = context
    const { attended, activated } = activationWidths(config)
    const blocks = (label: string, elements: number): ActivationBuffers => ({
      blocks: gpu.allocate('activations', `${label} in 8 bits`, elements),
      scales: gpu.allocate('activations', `${label} scales`, (elements / ACTIVATION_BLOCK) * 8),
    })
    this.#context = context
    this.#activations = activations
    this.#parts = allocateParts(context, 1)
    this.#rounded = { attended: blocks('attended', attended), activated: blocks('activated', activated) }
  }

  /** From the token to the residual stream behind the last layer. @param lora where the row may have a LoRA adapter */
  async body(
    attention: BuildFusedAttention,
    options: LinearDecodeOptions,
    lora?: BuildLora,
  ): Promise<Dispatch[]> {
    const { weights } = this.#context
    const { rows, hidden } = this.#activations
    const groups = weights.layers.flatMap((_, index) =>
      FUSED_GROUPS.flatMap((group) =>
        group === 'append and attention'
          ? this.attention(index, attention)
          : [
              this.#product(index, group, options),
              loraBehindFused(this.#context, lora, index, group, { ...this.#activations, maxRows: 1 }),
            ],
      ),
    )
    const embedding = buildEmbedding(this.#context, rows, hidden)
    return (await Promise.all([embedding, ...groups])).flat()
  }

  /** From the residual stream to the logits. */
  async head(logits: GPUBuffer, options: LinearDecodeOptions): Promise<Dispatch[]> {
    const { gpu, weights, config } = this.#context
    const input = { hidden: this.#activations.hidden, normWeight: weights.finalNorm }
    const constants = { output: { kind: 'store' }, normEpsilon: config.epsilon } as const
    return linear(gpu, weights.output, constants, { input, output: { y: logits } }, options)
  }

  /** The attention of a layer, from the projection to 8-bit activations. */
  attention(index: number, build: BuildFusedAttention): Promise<Dispatch[]> {
    const output = this.#rounded.attended
    const splits = attentionSplits(1)
    return build(this.#context, index, { ...this.#activations, ...this.#parts, output, maxRows: 1, splits })
  }

  /** A product of a layer, with the operations that it is fused with. */
  #product(
    index: number,
    { norm, linear: { weight, x }, after }: FusedProduct,
    options: LinearDecodeOptions,
  ): Promise<Dispatch[]> {
    const { gpu, config, weights } = this.#context
    const { rows, hidden, qkv } = this.#activations
    const layer = weights.layers[index]
    const { bias } = layer[weight]
    const input = norm ? { hidden, normWeight: layer[norm.weight] } : this.#rounded[x]
    const normEpsilon = norm && { normEpsilon: config.epsilon }
    const build = (
      output: LinearDecodeConstants['output'],
      buffers: LinearDecodeBuffers['output'],
    ): Promise<Dispatch[]> =>
      linear(gpu, layer[weight], { output, ...normEpsilon }, { input, output: buffers }, options)
    if (after?.kind === 'swiglu') return build({ kind: 'swiglu' }, this.#rounded[after.y])
    if (after?.kind !== 'rope') return build({ kind: 'add' }, { y: hidden })
    const { heads, kvGroups, headDim } = config
    const output = { kind: 'qkv', hasBias: bias !== undefined, heads, kvGroups, headDim } as const
    return build(output, { bias: bias ?? gpu.empty, rows, ropeTable: weights.ropeTable, qkv })
  }
}
