/** What differs between models of ChatGLM3's architecture, by the names of `config.json`. */
export interface ChatGLMShape {
  readonly num_layers: number
  readonly hidden_size: number
  readonly ffn_hidden_size: number
  readonly num_attention_heads: number
  /** Numbers of a head. */
  readonly kv_channels: number
  /** Key/value heads. */
  readonly multi_query_group_num: number
  readonly padded_vocab_size: number
  readonly seq_length: number
}

/** The shape of chatglm3-6b. */
export const CHATGLM3_6B: ChatGLMShape = {
  num_layers: 28,
  hidden_size: 4096,
  ffn_hidden_size: 13696,
  num_attention_heads: 32,
  kv_channels: 128,
  multi_query_group_num: 2,
  padded_vocab_size: 65024,
  seq_length: 8192,
}

/** The `config.json` of chatglm3-6b with another shape, without the references to its Python files. */
export function chatglmConfig(shape: ChatGLMShape) {
  return {
    model_type: 'chatglm',
    architectures: ['ChatGLMModel'],
    add_bias_linear: false,
    add_qkv_bias: true,
    apply_query_key_layer_scaling: true,
    apply_residual_connection_post_layernorm: false,
    attention_dropout: 0,
    attention_softmax_in_fp32: true,
    bias_dropout_fusion: true,
    classifier_dropout: null,
    eos_token_id: 2,
    ffn_hidden_size: shape.ffn_hidden_size,
    fp32_residual_connection: false,
    hidden_dropout: 0,
    hidden_size: shape.hidden_size,
    kv_channels: shape.kv_channels,
    layernorm_epsilon: 1e-5,
    multi_query_attention: true,
    multi_query_group_num: shape.multi_query_group_num,
    num_attention_heads: shape.num_attention_heads,
    num_layers: shape.num_layers,
    original_rope: true,
    pad_token_id: 0,
    padded_vocab_size: shape.padded_vocab_size,
    post_layer_norm: true,
    rmsnorm: true,
    seq_length: shape.seq_length,
    tie_word_embeddings: false,
    torch_dtype: 'float16',
    transformers_version: '4.30.2',
    use_cache: true,
    vocab_size: shape.padded_vocab_size,
  }
}
