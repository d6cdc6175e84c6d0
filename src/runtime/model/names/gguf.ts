import type { TensorNames } from './tensor-names.js'

/** Names in llama.cpp's GGUF files of the architecture `chatglm`. */
export const GGUF_NAMES: TensorNames = {
  embedding: 'token_embd.weight',
  layer: (index) => {
    const layer = `blk.${index}`
    return {
      inputNorm: `${layer}.attn_norm.weight`,
      qkv: `${layer}.attn_qkv.weight`,
      qkvBias: `${layer}.attn_qkv.bias`,
      dense: `${layer}.attn_output.weight`,
      postAttentionNorm: `${layer}.ffn_norm.weight`,
      gateUp: `${layer}.ffn_up.weight`,
      down: `${layer}.ffn_down.weight`,
    }
  },
  finalNorm: 'output_norm.weight',
  output: 'output.weight',
}
