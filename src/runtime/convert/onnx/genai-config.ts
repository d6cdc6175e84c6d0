import type { Tokenizer } from '../../../tokenizer/index.js'
import type { ModelConfig } from '../../model/index.js'
import { GRAPH_NAMES } from './chatglm-graph.js'

/** The settings file by which onnxruntime-genai runs a folder. */
export const GENAI_CONFIG_FILE = 'genai_config.json'

/** Its content (https://onnxruntime.ai/docs/genai/reference/config.html), with the sampling of the official `chat()`. */
export function genaiConfig(config: ModelConfig, tokenizer: Tokenizer, graphFile: string): object {
  const numbered = (name: (layer: number, part: 'key' | 'value') => string, part: 'key' | 'value') =>
    name(0, part).replace('.0.', '.%d.')
  return {
    model: {
      type: 'chatglm',
      bos_token_id: 1,
      eos_token_id: tokenizer.stopIds,
      pad_token_id: 0,
      vocab_size: config.vocabulary,
      context_length: config.maxContextLength,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: graphFile,
        head_size: config.headDim,
        hidden_size: config.hidden,
        num_attention_heads: config.heads,
        num_hidden_layers: config.layers,
        num_key_value_heads: config.kvGroups,
        inputs: {
          input_ids: GRAPH_NAMES.ids,
          attention_mask: GRAPH_NAMES.mask,
          past_key_names: numbered(GRAPH_NAMES.past, 'key'),
          past_value_names: numbered(GRAPH_NAMES.past, 'value'),
        },
        outputs: {
          logits: GRAPH_NAMES.logits,
          present_key_names: numbered(GRAPH_NAMES.present, 'key'),
          present_value_names: numbered(GRAPH_NAMES.present, 'value'),
        },
      },
    },
    search: {
      do_sample: true,
      max_length: config.maxContextLength,
      num_beams: 1,
      past_present_share_buffer: true,
      repetition_penalty: 1,
      temperature: 0.8,
      top_k: 50,
      top_p: 0.8,
    },
  }
}
