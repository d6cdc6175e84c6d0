import type { TensorNames } from './tensor-names.js'

/** Names of the official checkpoints on Hugging Face, which this project's and MLX's conversions keep. */
export const HF_NAMES: TensorNames = {
  embedding: 'transformer.embedding.word_embeddings.weight',
  layer: (index) => {
    const layer = `transformer.encoder.layers.${index}`
    return {
      inputNorm: `${layer}.input_layernorm.weight`,
      qkv: `${layer}.self_attention.query_key_value.weight`,
      qkvBias: `${layer}.self_attention.query_key_value.bias`,
      dense: `${layer}.self_attention.dense.weight`,
      postAttentionNorm: `${layer}.post_attention_layernorm.weight`,
      gateUp: `${layer}.mlp.dense_h_to_4h.weight`,
      down: `${layer}.mlp.dense_4h_to_h.weight`,
    }
  },
  finalNorm: 'transformer.encoder.final_layernorm.weight',
  output: 'transformer.output_layer.weight',
}

/** Where a P-Tuning v2 prefix lies in a checkpoint that holds a whole model. */
export const PREFIX_ENCODER = 'transformer.prefix_encoder.'

/** Whether a tensor belongs to a layer: embedding, last norm and output layer do not. */
export function isOfLayer(name: string): boolean {
  return name.startsWith('transformer.encoder.layers.')
}

/** A matrix's name as labels of GPU work have it: `layers.0.mlp.dense_4h_to_h`. */
export function matrixLabel(name: string): string {
  return name.replace(/^transformer\.(encoder\.)?/, '').replace(/\.weight$/, '')
}
