import type { NormRole, ProductRole } from '../network.js'

/** What a tensor of a transformer layer is for. */
export type LayerRole = NormRole | ProductRole | 'qkvBias'

/** The names that a world of checkpoints gives the tensors of a model: one file of this folder for each world. */
export interface TensorNames {
  readonly embedding: string
  layer(index: number): Readonly<Record<LayerRole, string>>
  readonly finalNorm: string
  readonly output: string
}
