import { describe, expect, it } from 'vitest'
import { parseModelConfig } from './config.js'

/** The fields of chatglm3-6b's config.json that describe its shape. */
const CHATGLM3_6B = {
  model_type: 'chatglm',
  num_layers: 28,
  hidden_size: 4096,
  ffn_hidden_size: 13696,
  num_attention_heads: 32,
  kv_channels: 128,
  multi_query_attention: true,
  multi_query_group_num: 2,
  padded_vocab_size: 65024,
  seq_length: 8192,
  rmsnorm: true,
  layernorm_epsilon: 1e-5,
  post_layer_norm: true,
  apply_residual_connection_post_layernorm: false,
  add_bias_linear: false,
  add_qkv_bias: true,
}

describe('config.json', () => {
  it('of chatglm3-6b gives its shape', () => {
    expect(parseModelConfig(CHATGLM3_6B)).toEqual({
      layers: 28,
      hidden: 4096,
      ffn: 13696,
      heads: 32,
      kvGroups: 2,
      headDim: 128,
      vocabulary: 65024,
      maxContextLength: 8192,
      ropeBase: 10_000,
      epsilon: 1e-5,
      qkvBias: true,
    })
  })

  it('of chatglm3-6b-32k has a rotary base 50 times as large', () => {
    const config = parseModelConfig({ ...CHATGLM3_6B, seq_length: 32768, rope_ratio: 50 })
    expect(config).toMatchObject({ ropeBase: 500_000, maxContextLength: 32768 })
  })

  it.each([
    ['is no object', [], 'not a JSON object'],
    ['is of another model', { ...CHATGLM3_6B, model_type: 'llama' }, 'model_type is "llama"'],
    ['lacks a field', { ...CHATGLM3_6B, num_layers: undefined }, 'num_layers is nothing'],
    ['has a size of zero', { ...CHATGLM3_6B, hidden_size: 0 }, 'hidden_size is 0'],
    ['has half a layer', { ...CHATGLM3_6B, num_layers: 1.5 }, 'num_layers is 1.5'],
    ['has a huge size', { ...CHATGLM3_6B, ffn_hidden_size: 2 ** 40 }, 'ffn_hidden_size'],
    ['has 2^31 layers', { ...CHATGLM3_6B, num_layers: 2 ** 31 }, 'num_layers is 2147483648, expected'],
    ['has 2^20 layers', { ...CHATGLM3_6B, num_layers: 2 ** 20 }, 'of at most 1024'],
    ['has another norm', { ...CHATGLM3_6B, rmsnorm: false }, 'rmsnorm is false'],
    ['has heads that do not divide', { ...CHATGLM3_6B, multi_query_group_num: 3 }, 'do not divide into 3'],
    ['has a wrong rope_ratio', { ...CHATGLM3_6B, rope_ratio: -1 }, 'rope_ratio is -1'],
  ])('that %s is refused with the field', (_, config, message) => {
    expect(() => parseModelConfig(config)).toThrow(
      expect.objectContaining({ code: 'checkpoint.model-unsupported' }),
    )
    expect(() => parseModelConfig(config)).toThrow(message)
  })
})
