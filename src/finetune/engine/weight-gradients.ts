import type { BufferRange, Dispatch } from '../../gpu/index.js'
import {
  compileBiasGradient,
  compileEmbeddingGradient,
  compileLinearWeightGradient,
  compileRmsNormWeightGradient,
} from '../../kernels/index.js'
import {
  byProductAsync,
  LAYER,
  type LayerWeights,
  type LinearWeight,
  type ModelBase,
  modelTensors,
  type NormRole,
  type ProductRole,
} from '../../runtime/model/index.js'
import type { Allocation } from './allocation.js'
import type { Parameter } from './parameters.js'
import { countRange } from './row-counts.js'
import type { TrainingShape } from './training-shape.js'

/** Adds dy^T x to the gradient of a weight; `chunk` says of which chunk of rows, where they go through in chunks. */
type Product = (dy: BufferRange, x: BufferRange, chunk?: number) => Dispatch[]
/** Adds to the gradient of a norm's weight: of its input and the gradient of its output. */
type Norm = (x: BufferRange, dy: BufferRange, chunk?: number) => Dispatch[]

/** What adds up the gradients of the weights of a layer, and of the bias with its matrix. */
export type LayerGradients = Readonly<Record<NormRole, Norm>> & Readonly<Record<ProductRole, Product>>

/** What adds up the gradients of all weights of a model. */
export interface WeightGradients {
  readonly layers: readonly LayerGradients[]
  readonly finalNorm: Norm
  readonly output: Product
  /** From the gradient of the lowest layer's input; its rows are the distinct tokens. */
  readonly embedding: (dx: GPUBuffer) => Dispatch[]
}

/** What the kernels of weight gradients read beside activations. */
export type GradientBuffers = Readonly<Record<'counts' | 'scale' | 'order' | 'groups' | 'scratch', GPUBuffer>>

const WORD = 4

type Kernels = Awaited<ReturnType<typeof compileGradientKernels>>

/** Compiles the kernels of weight gradients; layers share what has the same shape. */
export async function compileGradientKernels({ gpu, config, weights }: ModelBase, shape: TrainingShape) {
  const { hidden, epsilon } = config
  const { maxRows } = shape
  const product = ({ inFeatures, outFeatures }: LinearWeight) =>
    compileLinearWeightGradient(gpu, { inFeatures, outFeatures })
  const layer = (matrices: LayerWeights) => byProductAsync(({ weight }) => product(matrices[weight]))
  const [norm, bias, embedding, output, layers] = await Promise.all([
    compileRmsNormWeightGradient(gpu, { width: hidden, epsilon, maxRows }),
    compileBiasGradient(gpu, { width: weights.layers[0].qkv.outFeatures, maxRows }),
    compileEmbeddingGradient(gpu, { width: hidden }),
    product(weights.output),
    Promise.all(weights.layers.map(layer)),
  ])
  return { norm, bias, embedding, output, layers }
}

function gradientBufferSizes(shape: TrainingShape, { norm, bias }: Kernels) {
  return {
    counts: countRange(shape).bytes,
    scale: WORD,
    order: shape.maxRows * WORD,
    groups: shape.maxRows * 3 * WORD,
    scratch: Math.max(norm.scratchBytes, bias.scratchBytes),
  }
}

/** Bytes on the GPU of `GradientBuffers`. */
export function gradientBufferBytes(shape: TrainingShape, kernels: Kernels): number {
  return Object.values(gradientBufferSizes(shape, kernels)).reduce((sum, bytes) => sum + bytes, 0)
}

export function allocateGradientBuffers(
  allocation: Allocation,
  shape: TrainingShape,
  kernels: Kernels,
): GradientBuffers {
  const sizes = Object.entries(gradientBufferSizes(shape, kernels))
  const buffers = sizes.map(([name, bytes]) => [
    name,
    allocation.allocate('activations', `weight gradients ${name}`, bytes),
  ])
  return Object.fromEntries(buffers) as GradientBuffers
}

/** Binds the kernels to the gradients of parameters, which are found by their names. */
export function bindWeightGradients(
  { config, weights }: ModelBase,
  shape: TrainingShape,
  kernels: Kernels,
  parameters: readonly Parameter[],
  { counts, scale, order, groups, scratch }: GradientBuffers,
): WeightGradients {
  const gradients = new Map(parameters.map(({ name, gradient }) => [name, gradient]))
  const gradientOf = ({ name }: { readonly name: string }) => gradients.get(name)!
  const range = countRange(shape)
  const ofRows = (chunk?: number) => range.of(counts, chunk)
  const ofTargets = (chunk?: number) => range.ofTargets(counts, chunk)
  const norm =
    (label: string, dw: GPUBuffer, rowsOf: typeof ofRows): Norm =>
    (x, dy, chunk) =>
      kernels.norm.bind(`${label}, weight gradient`, { x, dy, rows: rowsOf(chunk), scale, dw, scratch })
  const product =
    (kernel: Kernels['output'], label: string, dw: GPUBuffer, rowsOf: typeof ofRows): Product =>
    (dy, x, chunk) =>
      kernel.bind(`${label}, weight gradient`, { dy, x, rows: rowsOf(chunk), scale, dw })
  const tensors = modelTensors(config)
  const layers = tensors.layers.map((names, index): LayerGradients => {
    const entries = LAYER.flatMap((operation): [string, Norm | Product][] => {
      if (operation.kind === 'norm') {
        return [[operation.weight, norm(operation.label, gradientOf(names[operation.weight]), ofRows)]]
      }
      if (operation.kind !== 'linear') return []
      const { weight, bias } = operation
      const { name } = weights.layers[index][weight]
      const ofWeight = product(kernels.layers[index][weight], name, gradientOf(names[weight]), ofRows)
      const tensor = bias && names[bias]
      if (!tensor) return [[weight, ofWeight]]
      const db = gradientOf(tensor)
      const ofBias: Product = (dy, _, chunk) =>
        kernels.bias.bind(`${name}, bias gradient`, { dy, rows: ofRows(chunk), scale, db, scratch })
      return [[weight, (dy, x, chunk) => [...ofWeight(dy, x, chunk), ...ofBias(dy, x, chunk)]]]
    })
    return Object.fromEntries(entries) as LayerGradients
  })
  return {
    layers,
    finalNorm: norm('final norm', gradientOf(tensors.finalNorm), ofTargets),
    output: product(kernels.output, 'output_layer', gradientOf(tensors.output), ofTargets),
    embedding: (dx) =>
      kernels.embedding.bind('embedding gradient', {
        dx,
        order,
        groups,
        scale,
        dw: gradientOf(tensors.embedding),
      }),
  }
}
