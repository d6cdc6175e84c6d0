import {
  type AffineQuantization,
  type ByteSink,
  float16ToFloat32,
  formatQuantizationConfig,
  openCheckpointWriter,
  type SinkLocation,
  type TensorWithBytes,
  writeTorchBin,
} from '../src/checkpoint/index.js'
import {
  type ModelConfig,
  modelTensors,
  parseModelConfig,
  type TensorSpec,
  tensorList,
} from '../src/runtime/index.js'
import { chatglmSentencePieceModel, SPECIAL_TOKENS, writeSentencePieceModel } from '../src/tokenizer/index.js'
import { type ChatGLMShape, chatglmConfig } from './chatglm-config.js'
import { initialDistribution } from './initial-weights.js'
import { fillNormalFloat16 } from './normal-values.js'
import { bytesOf, quantizeMatrix } from './quantize-matrix.js'
import { tinyPieces } from './tiny-tokenizer.js'

const SEED = 20231027
const QUANTIZATION: AffineQuantization = { bits: 4, groupSize: 64 }
/** `<unk>`, `<s>`, `</s>` and the bytes. */
const RESERVED_PIECES = 259
/** Rows of the demonstration prefix. */
const PREFIX_LENGTH = 8

/** The shape of the small model, for a tokenizer of so many pieces. */
function tinyShape(ordinaryPieces: number): ChatGLMShape {
  const tokens = RESERVED_PIECES + ordinaryPieces + SPECIAL_TOKENS.length
  return {
    num_layers: 4,
    hidden_size: 256,
    ffn_hidden_size: 704,
    num_attention_heads: 4,
    kv_channels: 64,
    multi_query_group_num: 2,
    padded_vocab_size: Math.ceil(tokens / 64) * 64,
    seq_length: 2048,
  }
}

/**
 * Writes the small model: random weights in this project's 4-bit format, and a tokenizer of its own. The same bytes
 * every time.
 *
 * @param onTensor is told each tensor before it is computed
 */
export async function writeTinyModel(
  destination: SinkLocation,
  onTensor: (name: string) => void = () => {},
): Promise<void> {
  const pieces = tinyPieces()
  const config = tinyConfig(pieces)
  const model = parseModelConfig(config)
  const tensors: TensorWithBytes[] = []
  for (const spec of tensorList(modelTensors(model))) {
    onTensor(spec.name)
    tensors.push(...storedTensors(spec, model))
  }
  const writer = await openCheckpointWriter(destination, tensors, { config, restart: true })
  const bytesOfTensor = new Map(tensors.map(({ name, bytes }) => [name, bytes]))
  for (const shard of writer.shards) {
    for (const { name } of shard.tensors) await writer.write(name, bytesOfTensor.get(name)!)
  }
  await writer.addFile('tokenizer.model', tinyTokenizer(pieces))
  await writer.finish()
}

/** The `config.json` of the small model. */
export function tinyConfig(pieces: readonly string[]) {
  const quantization = formatQuantizationConfig({ ...QUANTIZATION, exceptions: new Map() })
  return { ...chatglmConfig(tinyShape(pieces.length)), quantization }
}

/** The `tokenizer.model` of the small model. */
export function tinyTokenizer(pieces: readonly string[]): Uint8Array {
  return writeSentencePieceModel(chatglmSentencePieceModel(pieces))
}

/** A tensor as it is stored: a matrix is quantized, a norm or a bias stays float16. */
export function storedTensors(spec: TensorSpec, config: ModelConfig): TensorWithBytes[] {
  const halves = new Uint16Array(spec.shape.reduce((product, size) => product * size, 1))
  fillNormalFloat16(halves, initialDistribution(spec, config), SEED, spec.name)
  if (spec.shape.length === 2) return quantizeMatrix(spec, float16ToFloat32(halves), QUANTIZATION)
  return [{ ...spec, dtype: 'F16', bytes: bytesOf(halves) }]
}

/**
 * Writes a P-Tuning v2 prefix of random values for the small model, as the official trainer saves one: a
 * `pytorch_model.bin` with the prefix encoder alone.
 */
export async function writeTinyPrefix(sink: ByteSink, path: string): Promise<void> {
  const name = 'transformer.prefix_encoder.embedding.weight'
  const { layers, kvGroups, headDim } = parseModelConfig(chatglmConfig(tinyShape(0)))
  const shape = [PREFIX_LENGTH, 2 * layers * kvGroups * headDim]
  const halves = new Uint16Array(shape[0] * shape[1])
  // The encoder is a torch Embedding, whose values begin as standard normal ones.
  fillNormalFloat16(halves, { mean: 0, deviation: 1 }, SEED, name)
  const bytes = bytesOf(float16ToFloat32(halves))
  await writeTorchBin(sink, path, [{ name, dtype: 'F32', shape, bytes }])
}
