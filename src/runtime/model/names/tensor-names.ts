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

/**
 * What the names of one world are in another.
 * @param layers of the model
 */
export function namesIn(from: TensorNames, to: TensorNames, layers: number): Map<string, string> {
  const names = new Map([
    [from.embedding, to.embedding],
    [from.finalNorm, to.finalNorm],
    [from.output, to.output],
  ])
  for (let index = 0; index < layers; index++) {
    const target = to.layer(index)
    for (const [role, name] of Object.entries(from.layer(index))) names.set(name, target[role as LayerRole])
  }
  return names
}
