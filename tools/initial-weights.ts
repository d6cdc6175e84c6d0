import type { ModelConfig, TensorSpec } from '../src/runtime/model/index.js'
import type { NormalDistribution } from './normal-values.js'

/**
 * How the weights of a tensor are distributed so that an untrained model computes with numbers of ordinary size:
 * projections keep the variance of what they take in, those that add to the residual stream are smaller by the
 * number of additions (as in GPT-2), and the logits have a deviation of 2.
 *
 * @param tensor of `modelTensors(config)`
 */
export function initialDistribution({ name, shape }: TensorSpec, config: ModelConfig): NormalDistribution {
  if (name.endsWith('layernorm.weight')) return { mean: 1, deviation: 0.02 }
  if (name.endsWith('.bias') || name.endsWith('word_embeddings.weight')) return { mean: 0, deviation: 0.02 }
  const deviation = 1 / Math.sqrt(shape[1])
  if (name.endsWith('output_layer.weight')) return { mean: 0, deviation: 2 * deviation }
  const addsToResidual = name.endsWith('.dense.weight') || name.endsWith('.dense_4h_to_h.weight')
  return { mean: 0, deviation: addsToResidual ? deviation / Math.sqrt(2 * config.layers) : deviation }
}
