import { CheckpointError, describe, lookAt } from '../../errors/index.js'
import type { HeadShape } from '../../kernels/index.js'
import { refuseQuantizers, refuseRelatives } from './other-models.js'

/** The shape of a ChatGLM3 model, from its `config.json`. */
export interface ModelConfig extends HeadShape {
  readonly layers: number
  readonly hidden: number
  readonly ffn: number
  /** Rows of the embedding and of the output layer. */
  readonly vocabulary: number
  /** Positions that the model was made for. */
  readonly maxContextLength: number
  /** Base of the rotary frequencies: 10000 times `rope_ratio`. */
  readonly ropeBase: number
  readonly epsilon: number
  readonly qkvBias: boolean
}

type Json = Readonly<Record<string, unknown>>

function fail(problem: string): never {
  throw new CheckpointError(
    'checkpoint.model-unsupported',
    `config.json: ${problem}. Is this the folder of a ChatGLM3 model?`,
  )
}

/** The most that a model could have, far above any that exists: what is made of these numbers stays in proportion. */
const LIMITS = {
  num_layers: 1024,
  hidden_size: 2 ** 16,
  ffn_hidden_size: 2 ** 18,
  num_attention_heads: 1024,
  multi_query_group_num: 1024,
  kv_channels: 1024,
  padded_vocab_size: 2 ** 20,
  seq_length: 2 ** 24,
  rope_ratio: 10 ** 6,
  layernorm_epsilon: 1,
} as const
type Field = keyof typeof LIMITS

function count(json: Json, field: Field): number {
  const value = json[field]
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LIMITS[field])
    return value
  return fail(`${field} is ${describe(value)}, expected a positive whole number of at most ${LIMITS[field]}`)
}

function positive(json: Json, field: Field, missing?: number): number {
  const value = json[field] ?? missing
  if (typeof value === 'number' && value > 0 && value <= LIMITS[field]) return value
  return fail(`${field} is ${describe(value)}, expected a positive number of at most ${LIMITS[field]}`)
}

/** Architecture switches that other values of would need other kernels. */
const REQUIRED: Json = {
  rmsnorm: true,
  post_layer_norm: true,
  add_bias_linear: false,
  apply_residual_connection_post_layernorm: false,
}

/**
 * Reads the shape of a model from the parsed `config.json` of chatglm3-6b, -base or -32k, or of a smaller model
 * of the same architecture. Class defaults of the official code are never assumed: they differ from every checkpoint.
 * @throws `checkpoint.model-unsupported` naming the model or the field, `checkpoint.quantizer-unsupported`
 */
export function parseModelConfig(config: unknown): ModelConfig {
  const unreadable = (cause: unknown) =>
    new CheckpointError('checkpoint.model-unsupported', 'config.json: its fields cannot be read.', { cause })
  return lookAt(unreadable, () => readConfig(config))
}

function readConfig(config: unknown): ModelConfig {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) fail('not a JSON object')
  const json = config as Json
  refuseRelatives(json)
  refuseQuantizers(json)
  if (json.model_type !== 'chatglm') fail(`model_type is ${describe(json.model_type)}, expected "chatglm"`)
  for (const [field, expected] of Object.entries(REQUIRED)) {
    if (json[field] !== expected) fail(`${field} is ${describe(json[field])}, only ${expected} is supported`)
  }
  const heads = count(json, 'num_attention_heads')
  const kvGroups = json.multi_query_attention === true ? count(json, 'multi_query_group_num') : heads
  const headDim = count(json, 'kv_channels')
  if (heads % kvGroups !== 0) fail(`${heads} attention heads do not divide into ${kvGroups} key/value groups`)
  if (headDim % 4 !== 0) fail(`kv_channels is ${headDim}, expected a multiple of 4`)
  const hidden = count(json, 'hidden_size')
  const ffn = count(json, 'ffn_hidden_size')
  for (const [field, size] of Object.entries({ hidden_size: hidden, ffn_hidden_size: ffn })) {
    if (size % 8 !== 0) fail(`${field} is ${size}, expected a multiple of 8`)
  }
  return {
    layers: count(json, 'num_layers'),
    hidden,
    ffn,
    heads,
    kvGroups,
    headDim,
    vocabulary: count(json, 'padded_vocab_size'),
    maxContextLength: count(json, 'seq_length'),
    ropeBase: 10_000 * positive(json, 'rope_ratio', 1),
    epsilon: positive(json, 'layernorm_epsilon'),
    qkvBias: json.add_qkv_bias === true,
  }
}
