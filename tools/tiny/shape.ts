import type { ChatGLMShape } from '../chatglm-config.js'
import { TOKENS } from './tokenizer.js'

/**
 * The shape of the small model: as large as answers in a second or two on two cores without a GPU allow, with every
 * part of the architecture: half-rotated heads, two key/value groups, an output layer of its own.
 */
export const SMALL_MODEL: ChatGLMShape = {
  num_layers: 5,
  hidden_size: 256,
  ffn_hidden_size: 704,
  num_attention_heads: 4,
  kv_channels: 64,
  multi_query_group_num: 2,
  padded_vocab_size: TOKENS,
  seq_length: 1024,
}
