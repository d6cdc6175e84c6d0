/** The training pass: the network's list of a layer's operations, forwards, and backwards in reverse. */
import type { BufferRange, Dispatch } from '../../gpu/index.js'
import {
  ATTENTION_HALF,
  FEED_FORWARD_HALF,
  LAYER,
  type LayerActivation,
  type LayerOperation,
  type ModelBase,
} from '../../runtime/model/index.js'
import { type Command, dispatches, type RowCount } from './commands.js'
import type { TrainingKernels } from './kernels.js'
import type { LayerTerms } from './lora-terms.js'
import type { TrainingBuffers } from './training-buffers.js'
import type { TrainingShape } from './training-shape.js'
import type { WeightGradients } from './weight-gradients.js'

/** What commands are built from. */
export interface StepContext {
  readonly base: ModelBase
  readonly shape: TrainingShape
  readonly kernels: TrainingKernels
  readonly buffers: TrainingBuffers
  /** Where all weights are trained: what adds their gradients up. */
  readonly gradients?: WeightGradients
  /** Where LoRA is trained: what it adds to the products of each layer. */
  readonly terms?: readonly LayerTerms[]
}

const FLOAT = 4

/** All rows of a sequence. */
export const allRows: RowCount = ({ rows }) => rows

/** The keys and values of a layer's prefix, or their gradients. */
function prefixOf({ shape }: StepContext, buffer: GPUBuffer, layer: number): GPUBufferBinding {
  const bytes = shape.layerStride * FLOAT
  return { buffer, offset: shape.prefixLength > 0 ? layer * bytes : 0, size: bytes }
}

/** What the operations of one half of a layer work on. */
interface Half {
  readonly layer: number
  /** What each activation is in on the way there; `hidden` is the input of the half. */
  readonly values: Buffers
  /** What the product at the end adds to. */
  readonly output: BufferRange
  /** What the gradient of each activation is in on the way back. */
  readonly gradients: Buffers
  /** Whether the way back takes the buffer of `normed` before the weight that `normed` goes into gets its gradient. */
  readonly losesNormed: boolean
  readonly rows: RowCount
  /** The number of the chunk, where rows go through in chunks. */
  readonly chunk?: number
}

type Buffers = Readonly<Record<Exclude<LayerActivation, 'hidden'>, GPUBuffer>> & {
  readonly hidden: BufferRange
}

/** The first half, for all rows. */
function attentionHalf({ buffers }: StepContext, layer: number): Half {
  const { hidden, gradient, normed, qkv, qkvGradient, attended, gateUp, activated } = buffers
  return {
    layer,
    values: { hidden: hidden[layer], normed, qkv, attended, gateUp, activated },
    output: hidden[layer + 1],
    gradients: { hidden: gradient, normed, qkv: qkvGradient, attended: normed, gateUp, activated },
    losesNormed: true,
    rows: allRows,
  }
}

/** The second half, for a chunk of rows after the other, in ranges of buffers; gradients take the place of values. */
function feedForwardHalves({ base, shape, buffers }: StepContext, layer: number): Half[] {
  const { maxRows, chunkRows } = shape
  const { hidden, gradient, chunkNormed: normed, qkv, attended, gateUp, activated } = buffers
  const bytes = chunkRows * base.config.hidden * FLOAT
  return Array.from({ length: maxRows / chunkRows }, (_, chunk): Half => {
    const rowsOf = (buffer: GPUBuffer) => ({ buffer, offset: chunk * bytes, size: bytes })
    const inner = { normed, qkv, attended, gateUp, activated }
    const output = rowsOf(hidden[layer + 1])
    return {
      layer,
      values: { hidden: output, ...inner },
      output,
      gradients: { hidden: rowsOf(gradient), ...inner },
      losesNormed: false,
      rows: ({ rows }) => Math.min(chunkRows, rows - chunk * chunkRows),
      chunk,
    }
  })
}

/** The way there through an operation. */
function forward(context: StepContext, half: Half, operation: LayerOperation): Dispatch[] {
  const { kernels, buffers } = context
  const { layer, values, output, chunk } = half
  const { weights, forward: products } = kernels.layers[layer]
  const { rows, ropeTable: table, sequences, logSumExp, productScratch } = buffers
  switch (operation.kind) {
    case 'norm': {
      const weight = weights[operation.weight]
      return kernels.normalize.bind(operation.label, { x: values.hidden, weight, y: values.normed })
    }
    case 'linear': {
      const y = operation.adds ? output : values[operation.y]
      const term = context.terms?.[layer][operation.weight]
      return [
        ...products[operation.weight].bind(values[operation.x], y, productScratch),
        ...(term?.forward(values[operation.x], y, chunk) ?? []),
      ]
    }
    case 'rope':
      return kernels.rope.bind('rope', { rows, table, qkv: values.qkv })
    case 'append':
      // Attention of training reads keys and values where the product left them.
      return []
    case 'attention':
      return kernels.attention.forward.bind('attention', {
        sequences,
        qkv: values.qkv,
        prefix: prefixOf(context, buffers.prefix, layer),
        y: values.attended,
        logSumExp,
        scratch: buffers.attentionScratch,
      })
    case 'swiglu':
      return kernels.swiglu.bind('swiglu', { x: values.gateUp, y: values.activated })
  }
}

/**
 * The way back through an operation: from the gradient of what it wrote to that of what it read. Where all weights are
 * trained, or what LoRA adds, their gradients are added up on the way, from activations that are there or computed again.
 */
function backward(context: StepContext, half: Half, operation: LayerOperation): Dispatch[] {
  const { kernels, buffers } = context
  const { layer, values, gradients, chunk } = half
  const { weights, backward: products } = kernels.layers[layer]
  const { rows, ropeTable: table, sequences, logSumExp, productScratch } = buffers
  const ofWeights = context.gradients?.layers[layer]
  switch (operation.kind) {
    case 'norm': {
      const { label, weight } = operation
      const [x, dy] = [values.hidden, gradients.normed]
      return [
        ...(ofWeights?.[weight](x, dy, chunk) ?? []),
        ...kernels.addNormBackward.bind(`${label} gradient`, {
          x,
          weight: weights[weight],
          dy,
          dx: gradients.hidden,
        }),
      ]
    }
    case 'linear': {
      const { weight, x, y } = operation
      const isLost = half.losesNormed && x === 'normed'
      const term = context.terms?.[layer][weight]
      const again = (ofWeights || term) && isLost ? forward(context, half, normBefore(operation)) : []
      return [
        ...again,
        ...(ofWeights?.[weight](gradients[y], values[x], chunk) ?? []),
        ...(term?.gradients(values[x], gradients[y], chunk) ?? []),
        ...products[weight].bind(gradients[y], gradients[x], productScratch),
        ...(term?.backward(gradients[x], chunk) ?? []),
      ]
    }
    case 'rope':
      return kernels.ropeBack.bind('rope gradient', { rows, table, qkv: gradients.qkv })
    case 'append':
      return []
    case 'attention': {
      const kernel = layer === 0 ? kernels.attention.backwardLowest : kernels.attention.backward
      return kernel.bind('attention gradient', {
        sequences,
        qkv: values.qkv,
        prefix: prefixOf(context, buffers.prefix, layer),
        y: values.attended,
        logSumExp,
        dy: gradients.attended,
        dqkv: gradients.qkv,
        dprefix: prefixOf(context, buffers.prefixGradient, layer),
        scratch: buffers.attentionScratch,
      })
    }
    case 'swiglu':
      return kernels.swigluBackward.bind('swiglu gradient', { x: values.gateUp, dy: gradients.activated })
  }
}

/** The norm that a product's input comes from. */
function normBefore(product: LayerOperation): LayerOperation {
  return LAYER[LAYER.indexOf(product) - 1]
}

/** hidden[layer] -> hidden[layer + 1], the residual stream between the halves. */
function forwardAttention(context: StepContext, layer: number): Command[] {
  const { hidden } = context.buffers
  const rowBytes = context.base.config.hidden * FLOAT
  const half = attentionHalf(context, layer)
  return ATTENTION_HALF.flatMap((operation): Command[] => {
    const commands = dispatches(half.rows, ...forward(context, half, operation))
    if (operation.kind !== 'linear' || !operation.adds) return commands
    const [source, target] = [hidden[layer], hidden[layer + 1]]
    return [{ kind: 'copy', source, target, rowBytes, rows: half.rows }, ...commands]
  })
}

/** The forward pass of a layer: hidden[layer] -> hidden[layer + 1]. */
export function forwardLayer(context: StepContext, layer: number): Command[] {
  const feedForward = feedForwardHalves(context, layer).flatMap((half) =>
    dispatches(half.rows, ...FEED_FORWARD_HALF.flatMap((operation) => forward(context, half, operation))),
  )
  return [...forwardAttention(context, layer), ...feedForward]
}

/** The way back through the feed-forward part, its activations computed again. */
function feedForwardBackward(context: StepContext, layer: number): Command[] {
  const again = FEED_FORWARD_HALF.filter((operation) => {
    // Only the gradient of the last weight needs what goes into its product, and nobody what comes out.
    if (operation.kind === 'swiglu') return Boolean(context.gradients ?? context.terms?.[layer].down)
    return operation.kind !== 'linear' || !operation.adds
  })
  return feedForwardHalves(context, layer).flatMap((half) =>
    dispatches(
      half.rows,
      ...again.flatMap((operation) => forward(context, half, operation)),
      ...FEED_FORWARD_HALF.toReversed().flatMap((operation) => backward(context, half, operation)),
    ),
  )
}

/** The way back through attention: the gradients of prefix and weights, and unless nobody asks for it that of the input. */
function attentionBackward(context: StepContext, layer: number): Command[] {
  const half = attentionHalf(context, layer)
  const first =
    layer === 0 && !context.gradients && !context.terms
      ? ATTENTION_HALF.findIndex(({ kind }) => kind === 'attention')
      : 0
  const back = ATTENTION_HALF.slice(first).toReversed()
  return dispatches(half.rows, ...back.flatMap((operation) => backward(context, half, operation)))
}

/**
 * The backward pass of a layer: its activations are computed again from hidden[layer], then `gradient`, that of its
 * output, becomes that of its input, and the gradient of its prefix is added up. hidden[layer + 1] is no longer needed
 * by then and holds the residual stream between the layer's halves.
 */
export function backwardLayer(context: StepContext, layer: number): Command[] {
  return [
    ...forwardAttention(context, layer),
    ...feedForwardBackward(context, layer),
    ...attentionBackward(context, layer),
  ]
}
