import { MemoryFiles, type TensorWithBytes, writeSafetensors } from '../src/checkpoint/index.js'
import { packHalves, unpackHalves } from '../src/kernels/common/half.js'
import type { QuantizedFormat } from '../src/kernels/common/weight.js'
import { referenceWeight } from '../src/kernels/common/weight.reference.js'
import { randomNormal } from '../src/kernels/testing/numbers.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { modelTensors, tensorList } from '../src/runtime/model/tensors.js'
import { chatglmSentencePieceModel, writeSentencePieceModel } from '../src/tokenizer/index.js'

/** The config.json of the model that tests make: small, but nothing in it equal that need not be. */
export const RANDOM_MODEL_CONFIG = {
  model_type: 'chatglm',
  num_layers: 2,
  hidden_size: 64,
  ffn_hidden_size: 96,
  kv_channels: 16,
  num_attention_heads: 4,
  multi_query_attention: true,
  multi_query_group_num: 2,
  padded_vocab_size: 320,
  seq_length: 256,
  layernorm_epsilon: 1e-5,
  rmsnorm: true,
  post_layer_norm: true,
  add_bias_linear: false,
  add_qkv_bias: true,
  apply_residual_connection_post_layernorm: false,
}

type FloatType = 'F16' | 'BF16' | 'F32'

export interface RandomModelOptions {
  readonly seed?: number
  readonly config?: object
  /** How matrices are stored. */
  readonly matrices?: FloatType | QuantizedFormat
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

/** Values stored as a dtype; BF16 by cutting off the lower half of each f32. */
export function floatBytes(values: Float32Array, dtype: FloatType): Uint8Array {
  if (dtype === 'F32') return bytesOf(values)
  if (dtype === 'F16') return bytesOf(packHalves(values)).subarray(0, values.length * 2)
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  return bytesOf(Uint16Array.from(words, (word) => word >>> 16))
}

/** The tensors of a matrix in quantized form. */
function quantizedTensors(
  name: string,
  shape: readonly number[],
  values: Float32Array,
  format: QuantizedFormat,
): TensorWithBytes[] {
  const { words } = referenceWeight(values, format)
  const base = name.replace(/\.weight$/, '')
  const [out, inFeatures] = shape
  const bits = format.type === 'q4' ? 4 : 8
  const groups = [out, inFeatures / format.groupSize]
  const halves = (packed: Uint32Array) => bytesOf(packed).subarray(0, groups[0] * groups[1] * 2)
  return [
    { name, dtype: 'U32', shape: [out, (inFeatures * bits) / 32], bytes: bytesOf(words.weight) },
    { name: `${base}.scales`, dtype: 'F16', shape: groups, bytes: halves(words.scales!) },
    { name: `${base}.biases`, dtype: 'F16', shape: groups, bytes: halves(words.biases!) },
  ]
}

/** A checkpoint of a small model with random weights and a tokenizer of its own, in memory. */
export async function randomModel(options: RandomModelOptions = {}): Promise<MemoryFiles> {
  const { seed = 1, config = {}, matrices = 'F16' } = options
  const json: Record<string, unknown> = { ...RANDOM_MODEL_CONFIG, ...config }
  const format = typeof matrices === 'string' ? undefined : matrices
  const dtype: FloatType = typeof matrices === 'string' ? matrices : 'F16'
  const tensors = tensorList(modelTensors(parseModelConfig(json))).flatMap(
    ({ name, shape }, index): TensorWithBytes[] => {
      const count = shape.reduce((product, size) => product * size, 1)
      const isMatrix = shape.length === 2
      const deviation = isMatrix ? 1 / Math.sqrt(shape[1]) : 0.2
      const centre = /norm/.test(name) ? 1 : 0
      const numbers = randomNormal(count, seed * 1000 + index, deviation).map((value) => centre + value)
      // Representable in float16, so that storing them as such changes nothing.
      const values = unpackHalves(packHalves(numbers), count)
      if (isMatrix && format) return quantizedTensors(name, shape, values, format)
      return [{ name, dtype, shape, bytes: floatBytes(values, dtype) }]
    },
  )
  if (format) json.quantization = { bits: format.type === 'q4' ? 4 : 8, group_size: format.groupSize }
  const pieces = [...'▁eaton你好世界', '▁a', 'on', '你好']
  const files = new MemoryFiles([
    ['config.json', new TextEncoder().encode(JSON.stringify(json))],
    ['tokenizer.model', writeSentencePieceModel(chatglmSentencePieceModel(pieces))],
  ])
  await writeSafetensors(files, 'model.safetensors', tensors)
  return files
}

/** A random prefix for that model, as a trainer saves it: f32 [length, width]. */
export async function randomPrefix(length: number, width: number, seed = 5): Promise<MemoryFiles> {
  const files = new MemoryFiles([], `prefix ${seed}`)
  const bytes = bytesOf(randomNormal(length * width, seed))
  const name = 'transformer.prefix_encoder.embedding.weight'
  await writeSafetensors(files, 'model.safetensors', [{ name, dtype: 'F32', shape: [length, width], bytes }])
  return files
}
