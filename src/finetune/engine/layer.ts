import type { BufferRange } from '../../gpu/index.js'
import type { ModelBase } from '../../runtime/model/index.js'
import { type Command, dispatches, type RowCount, type SequenceSize } from './commands.js'
import type { TrainingKernels } from './kernels.js'
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
}

const FLOAT = 4

/** All rows of a sequence. */
export const allRows: RowCount = ({ rows }) => rows

/** The keys and values of a layer's prefix, or their gradients. */
function prefixOf({ shape }: StepContext, buffer: GPUBuffer, layer: number): GPUBufferBinding {
  const bytes = shape.layerStride * FLOAT
  return { buffer, offset: shape.prefixLength > 0 ? layer * bytes : 0, size: bytes }
}

/** hidden[layer] -> qkv (rotated) -> attended. */
function attend(context: StepContext, layer: number): Command[] {
  const { kernels, buffers } = context
  const { weights, forward } = kernels.layers[layer]
  const { rows, ropeTable, sequences, hidden, normed, qkv, attended: y, logSumExp } = buffers
  const { productScratch, attentionScratch: scratch } = buffers
  const prefix = prefixOf(context, buffers.prefix, layer)
  return dispatches(
    allRows,
    ...kernels.normalize.bind('input norm', { x: hidden[layer], weight: weights.inputNorm, y: normed }),
    ...forward.qkv.bind(normed, qkv, productScratch),
    ...kernels.rope.bind('rope', { rows, table: ropeTable, qkv }),
    ...kernels.attention.forward.bind('attention', { sequences, qkv, prefix, y, logSumExp, scratch }),
  )
}

/** hidden[layer + 1] = hidden[layer] + attended w^T: the residual stream between the two halves of a layer. */
function addAttended({ base, kernels, buffers }: StepContext, layer: number): Command[] {
  const { hidden, attended, productScratch } = buffers
  const [source, target] = [hidden[layer], hidden[layer + 1]]
  return [
    { kind: 'copy', source, target, rowBytes: base.config.hidden * FLOAT, rows: allRows },
    ...dispatches(allRows, ...kernels.layers[layer].forward.dense.bind(attended, target, productScratch)),
  ]
}

/** Commands for each chunk of rows, which see their ranges of buffers. */
function forChunks(
  { base, shape: { maxRows, chunkRows } }: StepContext,
  build: (rowsOf: (buffer: GPUBuffer) => BufferRange, rows: RowCount, chunk: number) => Command[],
): Command[] {
  const bytes = chunkRows * base.config.hidden * FLOAT
  return Array.from({ length: maxRows / chunkRows }, (_, chunk) =>
    build(
      (buffer) => ({ buffer, offset: chunk * bytes, size: bytes }),
      ({ rows }: SequenceSize) => Math.min(chunkRows, rows - chunk * chunkRows),
      chunk,
    ),
  ).flat()
}

/** The forward pass of a layer: hidden[layer] -> hidden[layer + 1]. */
export function forwardLayer(context: StepContext, layer: number): Command[] {
  const { kernels, buffers } = context
  const { weights, forward } = kernels.layers[layer]
  const { chunkNormed, gateUp, activated, productScratch } = buffers
  const weight = weights.postAttentionNorm
  const feedForward = forChunks(context, (rowsOf, rows) => {
    const x = rowsOf(buffers.hidden[layer + 1])
    return dispatches(
      rows,
      ...kernels.normalize.bind('post-attention norm', { x, weight, y: chunkNormed }),
      ...forward.gateUp.bind(chunkNormed, gateUp, productScratch),
      ...kernels.swiglu.bind('swiglu', { x: gateUp, y: activated }),
      ...forward.down.bind(activated, x, productScratch),
    )
  })
  return [...attend(context, layer), ...addAttended(context, layer), ...feedForward]
}

/** The way back through the feed-forward part, its activations computed again. */
function feedForwardBackward(context: StepContext, layer: number): Command[] {
  const { kernels, buffers } = context
  const { weights, forward, backward } = kernels.layers[layer]
  const { gradient, chunkNormed, gateUp, activated, productScratch } = buffers
  const weight = weights.postAttentionNorm
  const gradients = context.gradients?.layers[layer]
  return forChunks(context, (rowsOf, rows, chunk) => {
    const [x, dx] = [rowsOf(buffers.hidden[layer + 1]), rowsOf(gradient)]
    return dispatches(
      rows,
      ...kernels.normalize.bind('post-attention norm', { x, weight, y: chunkNormed }),
      ...forward.gateUp.bind(chunkNormed, gateUp, productScratch),
      ...(gradients
        ? [
            ...kernels.swiglu.bind('swiglu', { x: gateUp, y: activated }),
            ...gradients.down(dx, activated, chunk),
          ]
        : []),
      ...backward.down.bind(dx, activated, productScratch),
      ...kernels.swigluBackward.bind('swiglu gradient', { x: gateUp, dy: activated }),
      ...(gradients?.gateUp(gateUp, chunkNormed, chunk) ?? []),
      ...backward.gateUp.bind(gateUp, chunkNormed, productScratch),
      ...(gradients?.postAttentionNorm(x, chunkNormed, chunk) ?? []),
      ...kernels.addNormBackward.bind('post-attention norm gradient', { x, weight, dy: chunkNormed, dx }),
    )
  })
}

/** The way back through attention: the gradients of prefix and weights, and unless nobody asks for it that of the input. */
function attentionBackward(context: StepContext, layer: number): Command[] {
  const { kernels, buffers } = context
  const { weights, backward } = kernels.layers[layer]
  const { rows, ropeTable, sequences, hidden, gradient, normed, qkv, qkvGradient, attended } = buffers
  const { logSumExp, productScratch, attentionScratch: scratch } = buffers
  const lowest = layer === 0
  const gradients = context.gradients?.layers[layer]
  const attention = lowest ? kernels.attention.backwardLowest : kernels.attention.backward
  const toPrefix = [
    ...(gradients?.dense(gradient, attended) ?? []),
    ...backward.dense.bind(gradient, normed, productScratch),
    ...attention.bind('attention gradient', {
      sequences,
      qkv,
      prefix: prefixOf(context, buffers.prefix, layer),
      y: attended,
      logSumExp,
      dy: normed,
      dqkv: qkvGradient,
      dprefix: prefixOf(context, buffers.prefixGradient, layer),
      scratch,
    }),
  ]
  if (lowest && !gradients) return dispatches(allRows, ...toPrefix)
  const [x, weight] = [hidden[layer], weights.inputNorm]
  return dispatches(
    allRows,
    ...toPrefix,
    ...kernels.ropeBack.bind('rope gradient', { rows, table: ropeTable, qkv: qkvGradient }),
    ...(gradients
      ? [
          ...kernels.normalize.bind('input norm', { x, weight, y: normed }),
          ...gradients.qkv(qkvGradient, normed),
        ]
      : []),
    ...backward.qkv.bind(qkvGradient, normed, productScratch),
    ...(gradients?.inputNorm(x, normed) ?? []),
    ...kernels.addNormBackward.bind('input norm gradient', { x, weight, dy: normed, dx: gradient }),
  )
}

/**
 * The backward pass of a layer: its activations are computed again from hidden[layer], then `gradient`, that of its
 * output, becomes that of its input, and the gradient of its prefix is added up. hidden[layer + 1] is no longer needed
 * by then and holds the residual stream between the layer's halves.
 */
export function backwardLayer(context: StepContext, layer: number): Command[] {
  return [
    ...attend(context, layer),
    ...addAttended(context, layer),
    ...feedForwardBackward(context, layer),
    ...attentionBackward(context, layer),
  ]
}
