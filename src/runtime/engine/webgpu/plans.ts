import type { Dispatch } from '../../../gpu/index.js'
import type { QuantizedActivations } from '../../../kernels/index.js'
import type { Trial } from '../variants/tuning.js'
import type { VariantName, VariantOf, Variants } from '../variants/variants.js'
import {
  type Activations,
  buildAttention,
  buildBody,
  buildHead,
  buildProducts,
  type ForwardContext,
  type ForwardVariants,
} from './forward.js'
import type { FusedDecode } from './fused-decode.js'
import { floatProduct } from './linear.js'
import type { SlotTables } from './slot-tables.js'

/** Where the layers of a trial find their rows: behind so many others, as in the middle of a conversation. */
const TRIAL_POSITION = 1024

/** The GPU work of a step over rows of sequences, built once. */
export interface StepPlan {
  /** The most rows that it is built for. */
  readonly rows: number
  /** From the ids sampled last to the residual stream. */
  readonly body: readonly Dispatch[]
  /** From the residual stream to logits, and the next ids. */
  readonly head: readonly Dispatch[]
}

/** The buffers that the plans of an engine work in. */
export interface PlanBuffers {
  readonly context: ForwardContext
  readonly prefill: Activations
  readonly decode: Activations
  readonly tables: SlotTables
  /** Where steps of one sequence may be fused. */
  readonly fused: FusedDecode | undefined
  /** Where the product for many rows may round activations to 8 bits. */
  readonly quantized: QuantizedActivations | undefined
}

/** Builds the lists of dispatches that an engine runs, for given variants. */
export class Plans {
  readonly #buffers: PlanBuffers

  constructor(buffers: PlanBuffers) {
    this.#buffers = buffers
  }

  #prefillVariants({ prefillProduct, prefillAttention }: Variants): ForwardVariants {
    return { product: prefillProduct, attention: prefillAttention, quantized: this.#buffers.quantized }
  }

  /** A chunk of a prompt, from token ids to the residual stream. */
  prefill(variants: Variants): Promise<Dispatch[]> {
    const { context, prefill } = this.#buffers
    return buildBody(context, prefill, this.#prefillVariants(variants))
  }

  /** From the residual stream to the logits at `rows` positions of a prompt. */
  promptHead(
    variants: Variants,
    rows: number,
    { hidden, normed, logits }: Readonly<Record<'hidden' | 'normed' | 'logits', GPUBuffer>>,
  ): Promise<Dispatch[]> {
    return buildHead(this.#buffers.context, rows, hidden, normed, logits, this.#prefillVariants(variants))
  }

  /** A step of up to `rows` sequences: a single one may be fused, more are computed in floats. */
  async step(variants: Variants, rows: number): Promise<StepPlan> {
    const [[body, head], sample] = await Promise.all([
      rows > 1 || variants.decode === 'float'
        ? this.#floatStep(variants, rows)
        : this.#fusedStep(variants.decodeAttention),
      this.#buffers.tables.build(),
    ])
    return { rows, body, head: [...head, ...sample] }
  }

  async #floatStep({ prefillProduct }: Pick<Variants, 'prefillProduct'>, rows: number) {
    const { context, decode, tables } = this.#buffers
    const variants = { product: floatProduct(context.gpu, prefillProduct) }
    return Promise.all([
      buildBody(context, { ...decode, maxRows: rows }, variants),
      buildHead(context, rows, decode.hidden, decode.normed, tables.logits, variants),
    ])
  }

  async #fusedStep(attention: VariantOf<'decodeAttention'>) {
    const { fused, tables } = this.#buffers
    if (!fused) throw new TypeError('There are no buffers for fused steps.')
    return Promise.all([fused.body(attention), fused.head(tables.logits)])
  }

  /** Compiles all that a variant needs in any layer, and gives the part of it that shows how fast it is. */
  async trial(name: VariantName, variant: VariantOf): Promise<Trial> {
    const { context, prefill, quantized, fused } = this.#buffers
    const rows = prefill.maxRows
    if (name === 'prefillProduct') {
      const variants = { product: variant as VariantOf<'prefillProduct'>, quantized }
      const layers = await Promise.all(
        context.weights.layers.map((layer) => buildProducts(context, layer, prefill, variants)),
      )
      return { rows, dispatches: Object.values(layers[0]).flat() }
    }
    if (name === 'prefillAttention') {
      const attention = variant as VariantOf<'prefillAttention'>
      return { rows, dispatches: await buildAttention(context, 0, prefill, attention) }
    }
    if (name === 'decodeAttention') {
      const attention = variant as VariantOf<'decodeAttention'>
      return { rows: 1, dispatches: fused ? await fused.attention(0, attention) : [] }
    }
    // With the attention that every GPU has: whether another compiles is another choice.
    const step =
      variant === 'float' ? this.#floatStep({ prefillProduct: 'float32' }, 1) : this.#fusedStep('simple')
    return { rows: 1, dispatches: (await step).flat() }
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
