import {
  compileAttentionBackward,
  compileAttentionTraining,
  compileCrossEntropy,
  compileEmbedding,
  compileGatherRows,
  compilePrefixDropout,
  compilePrefixDropoutBackward,
  compileRmsNorm,
  compileRmsNormBackward,
  compileRope,
  compileScatterRows,
  compileSwiglu,
  compileSwigluBackward,
} from '../../kernels/index.js'
import { VARIANT_TABLE } from '../../runtime/engine/index.js'
import {
  byProductAsync,
  FEED_FORWARD_HALF,
  type LayerWeights,
  type LinearOperation,
  type ModelBase,
} from '../../runtime/model/index.js'
import { compileProduct, compileProductBackward } from './linear.js'
import type { TrainingShape } from './training-shape.js'

/** The products of one layer, forward and backward. */
export type LayerProducts = Awaited<ReturnType<typeof compileLayer>>

/** Everything that a training step runs, compiled but not yet bound to buffers. */
export type TrainingKernels = Awaited<ReturnType<typeof compileKernels>>

async function compileLayer(base: ModelBase, weights: LayerWeights, shape: TrainingShape) {
  // The feed-forward half goes through in chunks of rows.
  const rowsOf = (operation: LinearOperation) =>
    FEED_FORWARD_HALF.includes(operation) ? shape.chunkRows : shape.maxRows
  const [forward, backward] = await Promise.all([
    byProductAsync((operation) =>
      compileProduct(base, weights[operation.weight], rowsOf(operation), operation.adds),
    ),
    byProductAsync((operation) => compileProductBackward(base, weights[operation.weight], rowsOf(operation))),
  ])
  return { weights, forward, backward }
}

async function compileAttention({ gpu, config, variants }: ModelBase, shape: TrainingShape) {
  const { heads, kvGroups, headDim } = config
  const { prefixLength, layerWidth: prefixStride, maxRows, packed } = shape
  const constants = { heads, kvGroups, headDim, prefixLength, prefixStride, maxRows, packed }
  // Below the lowest layer nobody asks for gradients where only a prefix is trained.
  const prefixOnly = prefixLength > 0
  const options = VARIANT_TABLE.trainingAttention.entries[packed ? 'tiled' : variants.trainingAttention].build
  const [forward, backward, backwardLowest] = await Promise.all([
    compileAttentionTraining(gpu, constants, options),
    compileAttentionBackward(gpu, { ...constants, prefixOnly: false }, options),
    compileAttentionBackward(gpu, { ...constants, prefixOnly }, options),
  ])
  return { forward, backward, backwardLowest }
}

async function compileRowKernels({ gpu, config }: ModelBase) {
  const norm = { width: config.hidden, epsilon: config.epsilon }
  const [
    normalize,
    normBackward,
    addNormBackward,
    rope,
    ropeBack,
    swiglu,
    swigluBackward,
    crossEntropy,
    gather,
    scatter,
  ] = await Promise.all([
    compileRmsNorm(gpu, norm),
    compileRmsNormBackward(gpu, { ...norm, accumulate: false }),
    compileRmsNormBackward(gpu, { ...norm, accumulate: true }),
    compileRope(gpu, { ...config, back: false }),
    compileRope(gpu, { ...config, back: true }),
    compileSwiglu(gpu, { width: config.ffn }),
    compileSwigluBackward(gpu, { width: config.ffn }),
    compileCrossEntropy(gpu, { vocabulary: config.vocabulary }),
    compileGatherRows(gpu, { width: config.hidden }),
    compileScatterRows(gpu, { width: config.hidden }),
  ])
  return {
    normalize,
    normBackward,
    addNormBackward,
    rope,
    ropeBack,
    swiglu,
    swigluBackward,
    crossEntropy,
    gather,
    scatter,
  }
}

/** Compiles what takes the rows of a prefix to its layers, and their gradients back. */
export async function compilePrefixKernels(
  { gpu, config }: ModelBase,
  { layerWidth, layerStride }: TrainingShape,
) {
  const constants = { layers: config.layers, layerWidth, layerStride }
  const [dropout, dropoutBackward] = await Promise.all([
    compilePrefixDropout(gpu, constants),
    compilePrefixDropoutBackward(gpu, constants),
  ])
  return { dropout, dropoutBackward }
}

/** Compiles the kernels of a training step, but for those of what is trained. Layers share what has the same shape. */
export async function compileKernels(base: ModelBase, shape: TrainingShape) {
  const { gpu, config, weights } = base
  const [rowKernels, attention, embedding, output, outputBackward, layers] = await Promise.all([
    compileRowKernels(base),
    compileAttention(base, shape),
    Promise.all(
      weights.embedding.slices.map(async ({ format, rows, firstRow, buffers }) => {
        const constants = { format, width: config.hidden, tokens: rows, firstToken: firstRow }
        return { kernel: await compileEmbedding(gpu, constants), buffers }
      }),
    ),
    compileProduct(base, weights.output, shape.headRows),
    compileProductBackward(base, weights.output, shape.headRows),
    Promise.all(weights.layers.map((layer) => compileLayer(base, layer, shape))),
  ])
  const products = [
    outputBackward,
    ...layers.flatMap(({ forward, backward }) => [...Object.values(forward), ...Object.values(backward)]),
  ]
  return {
    ...rowKernels,
    attention,
    embedding,
    output,
    outputBackward,
    layers,
    productScratchBytes: Math.max(...products.map(({ scratchBytes }) => scratchBytes)),
    attentionScratchBytes: Math.max(
      attention.forward.scratchBytes,
      attention.backward.scratchBytes,
      attention.backwardLowest.scratchBytes,
    ),
  }
}
