import type { Dispatch } from '../../../gpu/index.js'
import type { QuantizedActivations } from '../../../kernels/index.js'
import type { FusedPrompt, Trial, VariantEntry } from '../variants/kind.js'
import type { BuildStep } from '../variants/kinds/decode.js'
import { FEW_SEQUENCES } from '../variants/kinds/decode-few.js'
import { withoutRounding } from '../variants/kinds/prefill-product.js'
import { VARIANT_TABLE } from '../variants/table.js'
import type { VariantName, VariantOf, Variants } from '../variants/variants.js'
import { type Activations, buildHead, type ForwardContext } from './forward.js'
import type { FusedDecode } from './fused-decode.js'
import type { FusedStep } from './fused-step.js'
import type { BuildLinear } from './linear.js'
import type { BuildLora } from './lora.js'
import type { SlotTables } from './slot-tables.js'

/** Where the layers of a trial find their rows: behind so many others, as in the middle of a conversation. */
const TRIAL_POSITION = 1024

/** The GPU work of a step over rows of sequences, built once. */
export interface StepPlan {
  /** The most rows that it is built for. */
  readonly rows: number
  /** From the ids sampled last to the residual stream. */
  readonly body: readonly Dispatch[]
  /** From the residual stream to logits. */
  readonly head: readonly Dispatch[]
  /** From logits to the next ids. */
  readonly sample: readonly Dispatch[]
}

/** The buffers that the plans of an engine work in. */
export interface PlanBuffers {
  readonly context: ForwardContext
  readonly prefill: Activations
  readonly decode: Activations
  readonly tables: SlotTables
  /** Where steps of one sequence may be fused. */
  readonly fused: FusedDecode | undefined
  /** Where steps of a few sequences, and of many, may be fused. */
  readonly fusedFew: FusedStep | undefined
  readonly fusedMany: FusedStep | undefined
  /** Where prompts may be fused. */
  readonly fusedPrompt: FusedPrompt | undefined
  /** Where the product for many rows may round activations to 8 bits. */
  readonly quantized: QuantizedActivations | undefined
}

/** Builds the lists of dispatches that an engine runs, for given variants. */
export class Plans {
  readonly #buffers: PlanBuffers

  constructor(buffers: PlanBuffers) {
    this.#buffers = buffers
  }

  /** The product of prompts: of many rows. */
  #promptProduct({ prefillProduct }: Variants): BuildLinear {
    const { context, quantized } = this.#buffers
    const { build } = VARIANT_TABLE.prefillProduct.entries[prefillProduct]
    return (operands) => build({ gpu: context.gpu, quantized }, operands)
  }

  /** The product of steps that are not fused: of a few rows, none of which is rounded. */
  #stepProduct(variants: Variants): BuildLinear {
    const { gpu } = this.#buffers.context
    const { build } = VARIANT_TABLE.fewRowsProduct.entries[variants.fewRowsProduct]
    const many = this.#unrounded(variants)
    return (operands) => build({ gpu, many }, operands)
  }

  /** The product of prompts without rounding to 8 bits. */
  #unrounded(variants: Variants): BuildLinear {
    const prefillProduct = withoutRounding(this.#buffers.context.gpu, variants.prefillProduct)
    return this.#promptProduct({ ...variants, prefillProduct })
  }

  /** A chunk of a prompt, from token ids to the residual stream. @param lora where it may have a LoRA adapter */
  prefill(variants: Variants, lora?: BuildLora): Promise<Dispatch[]> {
    const { build } = VARIANT_TABLE.prefill.entries[variants.prefill]
    const attention = VARIANT_TABLE.prefillAttention.entries[variants.prefillAttention].build
    return build({ ...this.#buffers, product: this.#promptProduct(variants), attention, lora })
  }

  /** From the residual stream to the logits at `rows` positions of a prompt. */
  promptHead(
    variants: Variants,
    rows: number,
    buffers: Readonly<Record<'hidden' | 'normed' | 'logits', GPUBuffer>>,
  ): Promise<Dispatch[]> {
    return buildHead(this.#buffers.context, rows, buffers, this.#promptProduct(variants))
  }

  /** How steps of so many sequences are computed. */
  #buildStep({ decode, decodeFew, decodeMany }: Variants, rows: number): BuildStep {
    if (rows === 1) return VARIANT_TABLE.decode.entries[decode].build
    if (rows <= FEW_SEQUENCES) return VARIANT_TABLE.decodeFew.entries[decodeFew].build
    return VARIANT_TABLE.decodeMany.entries[decodeMany].build
  }

  /** A step of up to `rows` sequences. @param lora where they may have LoRA adapters */
  async step(variants: Variants, rows: number, lora?: BuildLora): Promise<StepPlan> {
    const { decode, tables } = this.#buffers
    const build = this.#buildStep(variants, rows)
    const parts = {
      ...this.#buffers,
      lora,
      activations: { ...decode, maxRows: rows },
      logits: tables.logits,
      product: this.#stepProduct(variants),
      fusedAttention: VARIANT_TABLE.decodeAttention.entries[variants.decodeAttention].build,
    }
    const [[body, head], sample] = await Promise.all([build(parts), tables.build()])
    return { rows, body, head, sample }
  }

  /** Compiles all that a variant needs in any layer, and gives the part of it that shows how fast it is. */
  trial(name: VariantName, variant: VariantOf, likely: Variants): Promise<Trial> {
    const entries: Readonly<Record<string, Pick<VariantEntry<never>, 'trial'>>> = VARIANT_TABLE[name].entries
    const { logits } = this.#buffers.tables
    const [many, stepProduct] = [this.#unrounded(likely), this.#stepProduct(likely)]
    const { trial } = entries[variant]
    if (!trial) throw new TypeError(`${name} is not measured.`)
    return trial({ ...this.#buffers, logits, many, stepProduct })
  }

  /**
   * Sets the positions that trials look back from, in slot 0. Where it can have more pages than there are, they repeat.
   * @param positions of a slot
   */
  placeTrials(positions: number): void {
    const { context, prefill, decode } = this.#buffers
    const { gpu, cache } = context
    const pages = Array.from({ length: cache.slotPages }, (_, page) => page % cache.pages)
    cache.writeTable(0, 1, pages)
    const place = ({ rows }: Activations, count: number) => {
      const first = Math.max(0, Math.min(TRIAL_POSITION, positions - count))
      const words = Array.from({ length: count }, (_, row) => [0, 0, first + row, 0]).flat()
      gpu.device.queue.writeBuffer(rows, 0, new Uint32Array(words))
    }
    place(prefill, Math.min(prefill.maxRows, positions))
    place(decode, 1)
  }
}
