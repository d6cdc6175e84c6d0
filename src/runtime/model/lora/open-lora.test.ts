import { describe, expect, it } from 'vitest'
import {
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  writeSafetensors,
  writeTorchBin,
} from '../../../checkpoint/index.js'
import { parseModelConfig } from '../config.js'
import { isLora, openLora } from './open-lora.js'

const CONFIG = parseModelConfig({
  model_type: 'chatglm',
  num_layers: 1,
  hidden_size: 8,
  ffn_hidden_size: 16,
  kv_channels: 4,
  num_attention_heads: 2,
  multi_query_attention: true,
  multi_query_group_num: 1,
  padded_vocab_size: 16,
  seq_length: 64,
  layernorm_epsilon: 1e-5,
  rmsnorm: true,
  post_layer_norm: true,
  add_bias_linear: false,
  apply_residual_connection_post_layernorm: false,
})

const MODULE = 'transformer.encoder.layers.0.self_attention.query_key_value'
const PEFT = {
  peft_type: 'LORA',
  r: 2,
  lora_alpha: 8,
  target_modules: ['query_key_value'],
  bias: 'none',
  use_rslora: false,
  // What PEFT writes of methods that are not used.
  ...{ use_dora: false, modules_to_save: null, rank_pattern: {}, megatron_core: 'megatron.core' },
  ...{ init_lora_weights: true, layers_to_transform: null, lora_dropout: 0.1, a_new_field: null },
}
type Tensors = Readonly<Record<string, readonly number[]>>
const FACTORS = {
  [`base_model.model.${MODULE}.lora_A.weight`]: [2, 8],
  [`base_model.model.${MODULE}.lora_B.weight`]: [16, 2],
}

async function adapter(
  config: object | undefined,
  tensors: Tensors = FACTORS,
  file = 'adapter_model.safetensors',
) {
  const text = new TextEncoder().encode(JSON.stringify(config))
  const files = new MemoryFiles(config ? [['adapter_config.json', text]] : [], 'adapter')
  const list = Object.entries(tensors).map(([name, shape], i): TensorWithBytes => {
    const numbers = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(i + 1)
    return { name, dtype: 'F32', shape, bytes: new Uint8Array(numbers.buffer) }
  })
  if (file.endsWith('.bin')) await writeTorchBin(files, file, list)
  else await writeSafetensors(files, file, list)
  return openCheckpoint(files)
}

const opened = async (...parts: Parameters<typeof adapter>) => openLora(await adapter(...parts), CONFIG)

describe("an adapter of LoRA in PEFT's files", () => {
  it.each(['adapter_model.safetensors', 'adapter_model.bin'])('is read: %s', async (file) => {
    const lora = await opened(PEFT, FACTORS, file)
    expect(lora.factors).toMatchObject([
      { layer: 0, role: 'qkv', rank: 2, inFeatures: 8, outFeatures: 16, scale: 4 },
    ])
    const { a, b } = await lora.read(lora.factors[0])
    expect([...a]).toEqual(new Array(16).fill(1))
    expect([...b]).toEqual(new Array(32).fill(2))
  })

  it.each([
    ['alpha / rank', {}, 4],
    ['alpha / sqrt(rank) with rslora', { use_rslora: true }, 8 / Math.SQRT2],
    ['the alpha of a module', { alpha_pattern: { query_key_value: 3 } }, 1.5],
  ])('is multiplied by %s', async (_, config, scale) => {
    const { factors } = await opened({ ...PEFT, ...config })
    expect(factors[0].scale).toBeCloseTo(scale, 12)
  })

  it.each([
    ['the name of an adapter', `base_model.model.${MODULE}.lora_A.default.weight`],
    ['no base_model', `${MODULE}.lora_A.weight`],
    ['a wrapper', `module.base_model.model.${MODULE}.lora_A.weight`],
  ])('is known by its names, with %s', async (_, name) => {
    const { factors } = await opened(PEFT, { [name]: [2, 8], [name.replace('lora_A', 'lora_B')]: [16, 2] })
    expect(factors).toHaveLength(1)
  })

  it('is known for what it is', async () => {
    expect(await isLora(await adapter(PEFT))).toBe(true)
    expect(await isLora(await adapter(undefined))).toBe(true)
    expect(await isLora(await adapter({ peft_type: 'PREFIX_TUNING' }, { prompt_embeddings: [2, 8] }))).toBe(
      false,
    )
  })

  const A = `base_model.model.${MODULE}.lora_A.weight`
  const B = `base_model.model.${MODULE}.lora_B.weight`
  it.each<[string, object | undefined, Tensors, RegExp]>([
    ['no config', undefined, FACTORS, /no adapter_config\.json/],
    ['DoRA', { ...PEFT, use_dora: true }, FACTORS, /use_dora.*DoRA/],
    ['whole modules', { ...PEFT, modules_to_save: ['output_layer'] }, FACTORS, /modules_to_save.*merge/],
    ['trained biases', { ...PEFT, bias: 'lora_only' }, FACTORS, /bias: "lora_only"/],
    ['transposed matrices', { ...PEFT, fan_in_fan_out: true }, FACTORS, /fan_in_fan_out/],
    [
      'changed weights',
      { ...PEFT, init_lora_weights: 'pissa_niter_4' },
      FACTORS,
      /pissa.*changes the weights/,
    ],
    [
      'an unknown field that is set',
      { ...PEFT, use_hydra: 3 },
      FACTORS,
      /use_hydra: 3; this field is not known/,
    ],
    ['no alpha', { ...PEFT, lora_alpha: undefined }, FACTORS, /lora_alpha/],
    [
      'unknown modules',
      { ...PEFT, target_modules: ['q_proj', 'v_proj'] },
      FACTORS,
      /q_proj, v_proj.*query_key_value/,
    ],
    [
      'modules without factors',
      { ...PEFT, target_modules: ['query_key_value', 'dense'] },
      FACTORS,
      /no factors of dense/,
    ],
    [
      'factors that it does not announce',
      { ...PEFT, target_modules: ['dense'] },
      FACTORS,
      /no factors of dense/,
    ],
    [
      'another base',
      { ...PEFT, base_model_name_or_path: 'a/b' },
      { [A]: [2, 4096], [B]: [4608, 2] },
      /\[2,4096\].*\[rank, 8\].*a\/b/,
    ],
    ['ranks that differ', PEFT, { [A]: [2, 8], [B]: [16, 3] }, /\[16,3\]/],
    ['a rank above the matrix', PEFT, { [A]: [9, 8], [B]: [16, 9] }, /rank 9; the matrix has at most 8/],
    ['one factor alone', PEFT, { [A]: [2, 8] }, /not the factor B/],
    [
      'more layers',
      PEFT,
      { [A.replace('.0.', '.4.')]: [2, 8], [B.replace('.0.', '.4.')]: [16, 2] },
      /has 1 layers/,
    ],
    ['another tensor', PEFT, { ...FACTORS, 'base_model.model.x.lora_magnitude_vector': [1] }, /DoRA/],
    [
      'an adapted output layer',
      PEFT,
      { ...FACTORS, 'transformer.output_layer.lora_A.weight': [2, 8] },
      /output_layer.*no factor/,
    ],
    ['two adapters', PEFT, { ...FACTORS, [A.replace('.weight', '.other.weight')]: [2, 8] }, /twice/],
  ])('is refused with %s', async (_, config, tensors, message) => {
    await expect(opened(config, tensors)).rejects.toMatchObject({
      code: 'checkpoint.adapter-invalid',
      message: expect.stringMatching(message),
    })
  })

  it('is refused with what is no number', async () => {
    const files = new MemoryFiles([['adapter_config.json', new TextEncoder().encode(JSON.stringify(PEFT))]])
    const tensors = Object.entries(FACTORS).map(([name, shape]): TensorWithBytes => {
      const numbers = new Float32Array(shape[0] * shape[1]).fill(Number.NaN)
      return { name, dtype: 'F32', shape, bytes: new Uint8Array(numbers.buffer) }
    })
    await writeSafetensors(files, 'adapter_model.safetensors', tensors)
    const lora = await openLora(await openCheckpoint(files), CONFIG)
    await expect(lora.read(lora.factors[0])).rejects.toMatchObject({ code: 'checkpoint.adapter-invalid' })
  })
})
