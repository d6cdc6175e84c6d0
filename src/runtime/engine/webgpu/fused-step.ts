/**
 * The fused plan for several rows, a row of each of several sequences or many of a prompt: as that of a single one, but norms
 * are kernels of their own, whose results all workgroups of a product share.
 */
import type { Dispatch } from '../../../gpu/index.js'
import { type AttentionCombineBuffers, attentionSplits } from '../../../kernels/index.js'
import { activationWidths } from '../../model/index.js'
import { buildEmbedding, type ForwardContext } from './forward.js'
import type { FusedActivations, FusedAttentionBuffers } from './fused-decode.js'
import { FUSED_GROUPS, type FusedProduct } from './fused-groups.js'
import { type BuildLora, loraBehindFused } from './lora.js'
import type { FormName, StepFormat, StepNorm } from './step-format.js'

/** What passes between the kernels, with room for so many rows. */
export interface StepActivations extends FusedActivations {
  readonly maxRows: number
  /** f32 [rows, ffn], scratch. */
  readonly activated: GPUBuffer
}

/** Room that attention has for the parts of splits of the cache. */
export type AttentionParts = Pick<FusedAttentionBuffers, 'parts' | 'statistics'>

/** Gives the dispatches of a layer's append and attention, from `qkv` to `output`, with the scratch it needs. */
export type BuildStepAttention<Form, Scratch extends object> = (
  context: ForwardContext,
  layer: number,
  buffers: Omit<FusedAttentionBuffers, keyof AttentionParts | 'output'> & Scratch & { readonly output: Form },
) => Promise<Dispatch[]>

/** Builds the plans of steps whose activations have one form between products. */
export class FusedStep<
  Form = AttentionCombineBuffers['output'],
  AttentionScratch extends object = AttentionParts,
> {
  readonly #context: ForwardContext
  readonly #format: StepFormat<Form>
  readonly #activations: StepActivations
  readonly #attentionScratch: AttentionScratch
  readonly #forms: Readonly<Record<FormName, Form>>

  constructor(
    context: ForwardContext,
    activations: StepActivations,
    format: StepFormat<Form>,
    attentionScratch: AttentionScratch,
  ) {
    const { gpu, config } = context
    const widths = activationWidths(config)
    const allocate = (name: FormName) => format.allocate(gpu, name, activations.maxRows, widths[name])
    this.#context = context
    this.#format = format
    this.#activations = activations
    this.#attentionScratch = attentionScratch
    this.#forms = {
      normed: allocate('normed'),
      attended: allocate('attended'),
      activated: allocate('activated'),
    }
  }

  /**
   * From the tokens of up to `rows` rows to the residual stream behind the last layer.
   * @param lora where rows may have LoRA adapters
   */
  async body(
    rows: number,
    attention: BuildStepAttention<Form, AttentionScratch>,
    lora?: BuildLora,
  ): Promise<Dispatch[]> {
    const { weights } = this.#context
    const groups = weights.layers.flatMap((_, index) =>
      FUSED_GROUPS.flatMap((group) =>
        group === 'append and attention'
          ? this.#attention(index, rows, attention)
          : [
              this.#product(index, rows, group),
              loraBehindFused(this.#context, lora, index, group, { ...this.#activations, maxRows: rows }),
            ],
      ),
    )
    const embedding = buildEmbedding(this.#context, this.#activations.rows, this.#activations.hidden)
    return (await Promise.all([embedding, ...groups])).flat()
  }

  /** From the residual stream to the logits. @param logits f32 [rows, vocabulary] */
  async head(rows: number, logits: GPUBuffer): Promise<Dispatch[]> {
    const { gpu, weights } = this.#context
    const { normed } = this.#forms
    const [norm, product] = await Promise.all([
      this.#format.norm(gpu, this.#norm('final norm', weights.finalNorm), normed),
      this.#format.product(gpu, weights.output, rows, normed, { kind: 'store' }, { y: logits }),
    ])
    return [...norm, ...product]
  }

  #norm(label: string, weight: GPUBuffer): StepNorm {
    const { hidden, epsilon } = this.#context.config
    return { label, epsilon, width: hidden, x: this.#activations.hidden, weight }
  }

  #attention(
    index: number,
    maxRows: number,
    build: BuildStepAttention<Form, AttentionScratch>,
  ): Promise<Dispatch[]> {
    const output = this.#forms.attended
    const splits = attentionSplits(maxRows)
    const buffers = { ...this.#activations, ...this.#attentionScratch, output, maxRows, splits }
    return build(this.#context, index, buffers)
  }

  /** A product of a layer, with the operations that belong to it. */
  async #product(index: number, rows: number, { norm, linear, after }: FusedProduct): Promise<Dispatch[]> {
    const { gpu, config, weights } = this.#context
    const { rows: tokens, hidden, qkv, activated } = this.#activations
    const layer = weights.layers[index]
    const weight = layer[linear.weight]
    const x = this.#forms[linear.x as FormName]
    const before = norm ? this.#format.norm(gpu, this.#norm(norm.label, layer[norm.weight]), x) : []
    const product = () => {
      if (after?.kind === 'swiglu') {
        return this.#format.swiglu(gpu, weight, rows, x, this.#forms.activated, activated)
      }
      if (after?.kind !== 'rope') {
        return this.#format.product(gpu, weight, rows, x, { kind: 'add' }, { y: hidden })
      }
      const { heads, kvGroups, headDim } = config
      const output = { kind: 'qkv', hasBias: weight.bias !== undefined, heads, kvGroups, headDim } as const
      const bias = weight.bias ?? gpu.empty
      const target = { bias, rows: tokens, ropeTable: weights.ropeTable, qkv }
      return this.#format.product(gpu, weight, rows, x, output, target)
    }
    return (await Promise.all([before, product()])).flat()
  }
}
