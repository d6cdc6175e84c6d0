import type { Gpu } from '../../gpu/index.js'
import type { WeightBuffers, WeightFormat } from '../../kernels/index.js'
import type { ModelConfig } from './config.js'
import { type NormRole, type ProductRole, productsOf } from './network.js'

/** Consecutive rows of a matrix that fit into one binding. */
export interface WeightSlice {
  readonly format: WeightFormat
  readonly buffers: WeightBuffers
  readonly firstRow: number
  readonly rows: number
}

/** A matrix [outFeatures, inFeatures] on the GPU, in as many slices as the binding limit asks for. */
export interface LinearWeight {
  readonly name: string
  readonly inFeatures: number
  readonly outFeatures: number
  readonly slices: readonly WeightSlice[]
  /** f16 [outFeatures] */
  readonly bias?: GPUBuffer
}

/** The weights of one transformer layer; norms are f16 [hidden]. */
export type LayerWeights = Readonly<Record<NormRole, GPUBuffer>> & Readonly<Record<ProductRole, LinearWeight>>

/** A whole model on the GPU. */
export interface ModelWeights {
  readonly embedding: LinearWeight
  readonly layers: readonly LayerWeights[]
  readonly finalNorm: GPUBuffer
  readonly output: LinearWeight
  /** cos and sin, f32 [positions, headDim / 4, 2] */
  readonly ropeTable: GPUBuffer
}

/** What is known of a matrix before its bytes are there. */
export interface LinearShape {
  readonly inFeatures: number
  readonly outFeatures: number
  readonly slices: readonly Pick<WeightSlice, 'format' | 'rows'>[]
}

/** The matrices of a model's products, known from the headers of its checkpoint; `ModelWeights` is one. */
export interface ModelShape {
  readonly layers: readonly Readonly<Record<ProductRole, LinearShape>>[]
  readonly output: LinearShape
}

/** The matrices of all products: those of the layers, in order, and the output layer. */
export function allProducts({ layers, output }: ModelShape): LinearShape[] {
  return [...layers.flatMap(productsOf<LinearShape>), output]
}

/** What a training computes with, of the engine's table of variants. */
export interface TrainingVariants {
  readonly trainingProduct: 'subgroup-matrix' | 'float16' | 'float32'
  readonly trainingAttention: 'subgroup-matrix' | 'tiled'
}

/** A model on a device, as training sees it. */
export interface ModelBase {
  readonly gpu: Gpu
  readonly config: ModelConfig
  readonly weights: ModelWeights
  readonly variants: TrainingVariants
}
