import type { ModelConfig } from './config.js'

/** A tensor of a ChatGLM3 checkpoint, by its official name. */
export interface TensorSpec {
  readonly name: string
  /** [out, in] for a matrix. */
  readonly shape: readonly number[]
}

/** The names and shapes of one transformer layer. */
export interface LayerTensors {
  readonly inputNorm: TensorSpec
  readonly qkv: TensorSpec
  readonly qkvBias: TensorSpec | undefined
  readonly dense: TensorSpec
  readonly postAttentionNorm: TensorSpec
  readonly gateUp: TensorSpec
  readonly down: TensorSpec
}

/** The names and shapes of a whole model. */
export interface ModelTensors {
  readonly embedding: TensorSpec
  readonly layers: readonly LayerTensors[]
  readonly finalNorm: TensorSpec
  readonly output: TensorSpec
}

/** Where a P-Tuning v2 prefix lies in a checkpoint that holds a whole model. */
export const PREFIX_ENCODER = 'transformer.prefix_encoder.'

/** Every tensor that a model of this shape needs, in the order of the computation. */
export function modelTensors(config: ModelConfig): ModelTensors {
  const { hidden, ffn, heads, kvGroups, headDim, vocabulary } = config
  const attended = heads * headDim
  const qkv = attended + 2 * kvGroups * headDim
  const layers = Array.from({ length: config.layers }, (_, index): LayerTensors => {
    const layer = `transformer.encoder.layers.${index}`
    return {
      inputNorm: { name: `${layer}.input_layernorm.weight`, shape: [hidden] },
      qkv: { name: `${layer}.self_attention.query_key_value.weight`, shape: [qkv, hidden] },
      qkvBias: config.qkvBias
        ? { name: `${layer}.self_attention.query_key_value.bias`, shape: [qkv] }
        : undefined,
      dense: { name: `${layer}.self_attention.dense.weight`, shape: [hidden, attended] },
      postAttentionNorm: { name: `${layer}.post_attention_layernorm.weight`, shape: [hidden] },
      gateUp: { name: `${layer}.mlp.dense_h_to_4h.weight`, shape: [2 * ffn, hidden] },
      down: { name: `${layer}.mlp.dense_4h_to_h.weight`, shape: [hidden, ffn] },
    }
  })
  return {
    embedding: { name: 'transformer.embedding.word_embeddings.weight', shape: [vocabulary, hidden] },
    layers,
    finalNorm: { name: 'transformer.encoder.final_layernorm.weight', shape: [hidden] },
    output: { name: 'transformer.output_layer.weight', shape: [vocabulary, hidden] },
  }
}

/** All tensors as a list: matrices have two dimensions, norms and biases one. */
export function tensorList(tensors: ModelTensors): TensorSpec[] {
  const layers = tensors.layers.flatMap((layer) => Object.values(layer) as (TensorSpec | undefined)[])
  const all = [tensors.embedding, ...layers, tensors.finalNorm, tensors.output]
  return all.filter((tensor) => tensor !== undefined)
}
