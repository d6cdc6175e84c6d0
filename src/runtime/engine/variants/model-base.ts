import type { Gpu } from '../../../gpu/index.js'
import type { ModelBase, ModelConfig, ModelWeights } from '../../model/index.js'
import { type Candidate, candidates } from './candidates.js'
import type { VariantOf } from './variants.js'

/** A model that no engine answers from, as training sees it: with the variants that are the first possible. */
export function modelBase(gpu: Gpu, config: ModelConfig, weights: ModelWeights): ModelBase {
  const { trainingProduct, trainingAttention } = candidates({
    gpu,
    config,
    shape: weights,
    activations: 'float',
  })
  const first = <Name extends 'trainingProduct' | 'trainingAttention'>(all: readonly Candidate<Name>[]) =>
    all.find(({ obstacle }) => obstacle === undefined)!.variant as VariantOf<Name>
  const variants = { trainingProduct: first(trainingProduct), trainingAttention: first(trainingAttention) }
  return { gpu, config, weights, variants }
}
