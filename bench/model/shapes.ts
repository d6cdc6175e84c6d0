import { type ModelConfig, parseModelConfig } from '../common/internals.js'

/** What `config.json` of ChatGLM3's architecture has in common whatever the shape. */
const ARCHITECTURE = {
  model_type: 'chatglm',
  rmsnorm: true,
  post_layer_norm: true,
  add_bias_linear: false,
  add_qkv_bias: true,
  apply_residual_connection_post_layernorm: false,
  multi_query_attention: true,
  layernorm_epsilon: 1e-5,
}

/** The shape of chatglm3-6b. */
export const CHATGLM3_6B = parseModelConfig({
  ...ARCHITECTURE,
  num_layers: 28,
  hidden_size: 4096,
  ffn_hidden_size: 13_696,
  num_attention_heads: 32,
  kv_channels: 128,
  multi_query_group_num: 2,
  padded_vocab_size: 65_024,
  seq_length: 8192,
})

/** Small enough for the software adapter. */
export const TINY = parseModelConfig({
  ...ARCHITECTURE,
  num_layers: 2,
  hidden_size: 128,
  ffn_hidden_size: 192,
  num_attention_heads: 4,
  kv_channels: 32,
  multi_query_group_num: 2,
  padded_vocab_size: 512,
  seq_length: 128,
})

/** Shapes by the names that `--shape` takes. */
export const SHAPES: Readonly<Record<string, ModelConfig>> = { 'chatglm3-6b': CHATGLM3_6B, tiny: TINY }
