import { access } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ChatGLMShape,
  chatglmConfig,
  formatQuantizationConfig,
  modelTensors,
  openCheckpointWriter,
  parseModelConfig,
  quantizedTensors,
  standInTokenizer,
  tensorList,
} from '../common/internals.js'
import { randomSource } from '../common/random.js'

const BLOCK_BYTES = 4 * 2 ** 20

/** Standard deviation of weights, as that of trained ones. */
const DEVIATION = 0.02
/** Of the integers 0 to 15, and their middle. */
const OF_INTEGERS = Math.sqrt((16 ** 2 - 1) / 12)
const MIDDLE = 7.5

/** The bits of a positive number in f16, without subnormals. */
function half(value: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(value)))
  const mantissa = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024)
  return (value < 0 ? 0x8000 : 0) | (((exponent + 15) << 10) + mantissa)
}

/** Bytes of one f16 number over and over. */
function constant(value: number): Uint8Array {
  return new Uint8Array(new Uint16Array(BLOCK_BYTES / 2).fill(half(value)).buffer)
}

/**
 * Writes a checkpoint of 4-bit weights in a model's shape, in this project's format: random integers, equal scales. It takes
 * seconds, because nothing is quantized. A folder that has one already is left as it is.
 */
export async function writeRandomCheckpoint(
  folder: string,
  shape: ChatGLMShape,
  groupSize: 32 | 64,
  seed: number,
) {
  const there = await access(join(folder, 'manifest.json')).then(
    () => true,
    () => false,
  )
  if (there) return
  const config = chatglmConfig(shape)
  const quantization = { bits: 4, groupSize } as const
  const random = randomSource(seed)
  const integers = new Uint8Array(
    Uint32Array.from({ length: BLOCK_BYTES / 4 }, () => random() * 2 ** 32).buffer,
  )
  const scale = DEVIATION / OF_INTEGERS
  const blocks = {
    integers,
    scales: constant(scale),
    biases: constant(-scale * MIDDLE),
    norms: constant(1),
    zeros: new Uint8Array(BLOCK_BYTES),
  }
  const declared = tensorList(modelTensors(parseModelConfig(config))).flatMap(({ name, shape }) => {
    const [rows, columns] = shape
    if (columns === undefined) {
      const content = name.endsWith('bias') ? blocks.zeros : blocks.norms
      return [{ declaration: { name, dtype: 'F16' as const, shape }, content }]
    }
    const [weight, scales, biases] = quantizedTensors(name, [rows, columns], quantization)
    return [
      { declaration: weight, content: blocks.integers },
      { declaration: scales, content: blocks.scales },
      { declaration: biases, content: blocks.biases },
    ]
  })
  const writer = await openCheckpointWriter(
    folder,
    declared.map(({ declaration }) => declaration),
    {
      config: {
        ...config,
        quantization: formatQuantizationConfig({ ...quantization, exceptions: new Map() }),
      },
      restart: true,
    },
  )
  for (let shard = writer.nextShard(); shard; shard = writer.nextShard()) {
    for (const { name, byteLength } of shard.tensors) {
      const content = declared.find(({ declaration }) => declaration.name === name)!.content
      for (let done = 0; done < byteLength; done += BLOCK_BYTES) {
        await writer.write(name, content.subarray(0, Math.min(BLOCK_BYTES, byteLength - done)))
      }
    }
  }
  await writer.addFile('tokenizer.model', standInTokenizer(shape.padded_vocab_size))
  await writer.finish()
}
