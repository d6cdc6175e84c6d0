import { ropeReference } from '../src/kernels/attention/rope/rope.reference.js'
import { linearReference } from '../src/kernels/common/linear.reference.js'
import { linearTransposedReference } from '../src/kernels/common/linear-transposed.reference.js'
import { embeddingReference } from '../src/kernels/layers/embedding/embedding.reference.js'
import { gatherRowsReference } from '../src/kernels/layers/gather-rows/gather-rows.reference.js'
import { rmsNormReference } from '../src/kernels/layers/rms-norm/rms-norm.reference.js'
import { swigluReference } from '../src/kernels/layers/swiglu/swiglu.reference.js'
import { attentionBackwardReference } from '../src/kernels/training/attention-backward/attention-backward.reference.js'
import { attentionTrainingReference } from '../src/kernels/training/attention-training/attention-training.reference.js'
import { biasGradientReference } from '../src/kernels/training/bias-gradient/bias-gradient.reference.js'
import { crossEntropyReference } from '../src/kernels/training/cross-entropy/cross-entropy.reference.js'
import { embeddingGradientReference } from '../src/kernels/training/embedding-gradient/embedding-gradient.reference.js'
import { linearWeightGradientReference } from '../src/kernels/training/linear-weight-gradient/linear-weight-gradient.reference.js'
import { rmsNormBackwardReference } from '../src/kernels/training/rms-norm-backward/rms-norm-backward.reference.js'
import { rmsNormWeightGradientReference } from '../src/kernels/training/rms-norm-weight-gradient/rms-norm-weight-gradient.reference.js'
import { swigluBackwardReference } from '../src/kernels/training/swiglu-backward/swiglu-backward.reference.js'
import { type LayerTensors, modelTensors, type TensorSpec } from '../src/runtime/model/tensors.js'
import type { ReferenceModel, ReferencePrefix } from './reference-model.js'

const sum = (a: ArrayLike<number>, b: ArrayLike<number>) => Float64Array.from(a, (value, i) => value + b[i])

/** What a layer computes on its way forward, as far as the way back needs it. */
function forwardLayer(
  model: ReferenceModel,
  layer: LayerTensors,
  x: Float64Array,
  prefix: Float64Array,
  P: number,
) {
  const { config } = model
  const { heads, kvGroups, headDim, hidden, ffn, epsilon } = config
  const rows = x.length / hidden
  const positions = Array.from({ length: rows }, (_, position) => position)
  const attended = heads * headDim
  const normed = rmsNormReference(x, model.weight(layer.inputNorm), epsilon)
  const projected = linearReference(normed, model.weight(layer.qkv), hidden, model.weight(layer.qkvBias))
  const qkv = ropeReference(projected, positions, config, config.ropeBase)
  const prefixStride = 2 * kvGroups * headDim
  const attention = { heads, kvGroups, headDim, prefixLength: P, prefixStride, maxRows: rows }
  const { y } = attentionTrainingReference(qkv, prefix, attention, rows)
  const middle = sum(x, linearReference(y, model.weight(layer.dense), attended))
  const second = rmsNormReference(middle, model.weight(layer.postAttentionNorm), epsilon)
  const gateUp = linearReference(second, model.weight(layer.gateUp), hidden)
  const activated = swigluReference(gateUp, ffn)
  const output = sum(middle, linearReference(activated, model.weight(layer.down), ffn))
  return { x, prefix, normed, qkv, y, middle, second, gateUp, activated, output, attention, positions }
}

/** From the gradient of a layer's output to those of its input, of its prefix and of its weights. */
function backwardLayer(
  model: ReferenceModel,
  layer: LayerTensors,
  passed: ReturnType<typeof forwardLayer>,
  dOutput: Float64Array,
) {
  const { x, prefix, normed, qkv, y, middle, second, gateUp, activated, attention, positions } = passed
  const { config } = model
  const { heads, headDim, hidden, ffn, epsilon } = config
  const weights = new Map<string, Float64Array>()
  const ofProduct = (
    { name, shape: [outFeatures, inFeatures] }: TensorSpec,
    dy: Float64Array,
    from: Float64Array,
  ) => weights.set(name, linearWeightGradientReference({ inFeatures, outFeatures }, dy, from))
  const ofNorm = ({ name }: TensorSpec, from: Float64Array, dy: Float64Array) =>
    weights.set(name, rmsNormWeightGradientReference(from, dy, hidden, epsilon))
  const dActivated = linearTransposedReference(dOutput, model.weight(layer.down), ffn)
  const dGateUp = swigluBackwardReference(gateUp, dActivated, ffn)
  const dSecond = linearTransposedReference(dGateUp, model.weight(layer.gateUp), hidden)
  const postNorm = model.weight(layer.postAttentionNorm)
  const dMiddle = sum(dOutput, rmsNormBackwardReference(middle, postNorm, dSecond, epsilon))
  const dAttended = linearTransposedReference(dMiddle, model.weight(layer.dense), heads * headDim)
  const { dqkv, dprefix } = attentionBackwardReference(qkv, prefix, dAttended, attention, positions.length)
  const back = positions.map((position) => -position)
  const dProjected = ropeReference(dqkv, back, config, config.ropeBase)
  ofProduct(layer.down, dOutput, activated)
  ofProduct(layer.gateUp, dGateUp, second)
  ofNorm(layer.postAttentionNorm, middle, dSecond)
  ofProduct(layer.dense, dMiddle, y)
  ofProduct(layer.qkv, dProjected, normed)
  if (layer.qkvBias)
    weights.set(layer.qkvBias.name, biasGradientReference(dProjected, layer.qkvBias.shape[0]))
  const dNormed = linearTransposedReference(dProjected, model.weight(layer.qkv), hidden)
  ofNorm(layer.inputNorm, x, dNormed)
  const dx = rmsNormBackwardReference(x, model.weight(layer.inputNorm), dNormed, epsilon)
  return { dx: sum(dMiddle, dx), dprefix, weights }
}

/**
 * The loss of a sequence and its gradients, in float64 through the whole model.
 * @param labels -100 for what is no target; logits[i] predict labels[i + 1]
 * @returns the mean loss over the targets; its gradient with respect to the rows of a prefix,
 *   [P, 2 layers * kvGroups * headDim]; and those with respect to all weights, by their names
 */
export function referenceGradient(
  model: ReferenceModel,
  ids: readonly number[],
  labels: readonly number[],
  { rows, length }: ReferencePrefix = { rows: [], length: 0 },
): { loss: number; gradient: Float64Array; weights: Map<string, Float64Array> } {
  const { config } = model
  const { layers, kvGroups, headDim, hidden, epsilon } = config
  const tensors = modelTensors(config)
  const layerWidth = 2 * kvGroups * headDim
  /** Where an element of a layer's prefix lies in a row of all layers. */
  const place = (layer: number, i: number) =>
    Math.floor(i / layerWidth) * layers * layerWidth + layer * layerWidth + (i % layerWidth)

  let x = embeddingReference(ids, model.weight(tensors.embedding), hidden)
  const passed = tensors.layers.map((layer, index) => {
    const prefix = Float64Array.from({ length: length * layerWidth }, (_, i) => rows[place(index, i)])
    const all = forwardLayer(model, layer, x, prefix, length)
    x = all.output
    return all
  })

  const index = ids.flatMap((_, row) => ((labels[row + 1] ?? -100) === -100 ? [] : [row]))
  const last = gatherRowsReference(x, index, hidden)
  const finalNorm = model.weight(tensors.finalNorm)
  const lastNormed = rmsNormReference(last, finalNorm, epsilon)
  const logits = linearReference(lastNormed, model.weight(tensors.output), hidden)
  const { losses, dx: dLogits } = crossEntropyReference(
    logits,
    index.map((row) => labels[row + 1]),
  )
  const dMeanLogits = dLogits.map((value) => value / index.length)
  const dNormed = linearTransposedReference(dMeanLogits, model.weight(tensors.output), hidden)
  const dLast = rmsNormBackwardReference(last, finalNorm, dNormed, epsilon)
  let dHidden: Float64Array = new Float64Array(ids.length * hidden)
  index.forEach((row, target) => {
    dHidden.set(dLast.subarray(target * hidden, (target + 1) * hidden), row * hidden)
  })

  const [outFeatures, inFeatures] = tensors.output.shape
  const weights = new Map([
    [
      tensors.output.name,
      linearWeightGradientReference({ inFeatures, outFeatures }, dMeanLogits, lastNormed),
    ],
    [tensors.finalNorm.name, rmsNormWeightGradientReference(last, dNormed, hidden, epsilon)],
  ])
  const gradient = new Float64Array(length * layers * layerWidth)
  for (let layer = layers - 1; layer >= 0; layer--) {
    const back = backwardLayer(model, tensors.layers[layer], passed[layer], dHidden)
    const { dprefix } = back
    dHidden = back.dx
    for (const [name, ofWeight] of back.weights) weights.set(name, ofWeight)
    dprefix.forEach((value, i) => {
      gradient[place(layer, i)] = value
    })
  }
  const embedding = embeddingGradientReference(ids, dHidden, config.vocabulary, hidden)
  weights.set(tensors.embedding.name, embedding)
  return { loss: losses.reduce((total, loss) => total + loss, 0) / index.length, gradient, weights }
}
