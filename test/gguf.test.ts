import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type BlockType,
  blockLayout,
  isBlockType,
  MemoryFiles,
  openCheckpoint,
  openSource,
  type StoredType,
} from '../src/checkpoint/index.js'
import { ggufFile } from '../src/checkpoint/testing.js'
import { convertCheckpoint, loadModel } from '../src/index.js'
import { expectClose, randomNormal } from '../src/kernels/testing/numbers.js'
import { ggufMetadata } from '../src/runtime/convert/gguf/gguf-metadata.js'
import { randomBlocks } from '../src/runtime/model/blocks/testing/random-blocks.js'
import { parseModelConfig } from '../src/runtime/model/config.js'
import { loadTokenizer } from '../src/runtime/model/load-tokenizer.js'
import { GGUF_NAMES } from '../src/runtime/model/names/gguf.js'
import { HF_NAMES } from '../src/runtime/model/names/hf.js'
import { namesIn } from '../src/runtime/model/names/tensor-names.js'
import { openModelCheckpoint } from '../src/runtime/model/open-model.js'
import { modelTensors, tensorList } from '../src/runtime/model/tensors.js'
import {
  chatglmSentencePieceModel,
  readSentencePieceModel,
  type SentencePieceModel,
  SPECIAL_TOKENS,
  Tokenizer,
  writeSentencePieceModel,
} from '../src/tokenizer/index.js'
import { RANDOM_MODEL_CONFIG } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

const CONFIG = {
  ...RANDOM_MODEL_CONFIG,
  num_layers: 1,
  hidden_size: 256,
  ffn_hidden_size: 256,
  rope_ratio: 50,
}
const { CHATGLM_TOKENIZER } = process.env
const IDS = [262, 3, 50, 281, 9, 9, 120]
const SMALL = chatglmSentencePieceModel([...'▁eaton你好世界', '▁a', 'on', '你好'])

const metadataOf = (config: object, pieces: SentencePieceModel['pieces']) =>
  ggufMetadata(parseModelConfig(config), pieces, 'F16')

/** A GGUF file of random weights; matrices have the types in turn. */
function randomGguf(types: readonly StoredType[]): Uint8Array {
  const config = parseModelConfig(CONFIG)
  const names = namesIn(HF_NAMES, GGUF_NAMES, config.layers)
  let matrices = 0
  const tensors = tensorList(modelTensors(config)).map(({ name, shape }, index) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const dtype = shape.length === 2 ? types[matrices++ % types.length] : 'F32'
    const floats = () => {
      const centre = /norm/.test(name) ? 1 : 0
      const values = randomNormal(count, index, 1 / 16).map((value) => centre + value)
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    }
    const blocks = (type: BlockType) => {
      // So that the elements are about as large as those of other tests.
      const deviation = { Q4_0: 0.01, Q4_1: 0.01, Q5_0: 0.006, Q8_0: 8e-4 }[type as string] ?? 2e-4
      return randomBlocks(type, count / blockLayout(type).elements, index, deviation)
    }
    return { name: names.get(name)!, shape, dtype, bytes: isBlockType(dtype) ? blocks(dtype) : floats() }
  })
  return ggufFile(metadataOf(CONFIG, SMALL.pieces), tensors)
}

describe('a model in a GGUF file', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-gguf-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('loads from the file alone, says what is lost, and computes what its conversion computes', async () => {
    const path = join(folder, 'model.gguf')
    await writeFile(path, randomGguf(['Q4_0', 'Q4_K', 'Q5_0', 'F32', 'Q6_K', 'Q4_1']))
    const warnings: string[] = []
    const model = await loadModel(path, {
      activations: 'float',
      onProgress: ({ warning }) => warning && warnings.push(warning),
    })
    const logits = await model.logits(IDS)
    expect(model.tokenizer.encode('eat on你好')).toEqual(
      Tokenizer.fromSentencePiece(writeSentencePieceModel(SMALL)).encode('eat on你好'),
    )
    model.dispose()
    expect(warnings).toEqual([
      expect.stringMatching(/^1 matrix of Q4_K: .*float16/),
      expect.stringMatching(/^1 matrix of Q6_K: .*8 bits/),
    ])

    const converted = join(folder, 'converted')
    const said: string[] = []
    await convertCheckpoint(path, converted, {
      quantization: { bits: 4, groupSize: 32 },
      onProgress: ({ warning }) => warning && said.push(warning),
    })
    expect(said).toEqual(warnings)
    const checkpoint = await openCheckpoint(converted)
    const { quantization, ...config } = checkpoint.config as Record<string, unknown>
    expect(parseModelConfig(config)).toEqual(parseModelConfig(CONFIG))
    expect(quantization).toMatchObject({
      bits: 4,
      group_size: 32,
      'transformer.encoder.layers.0.mlp.dense_4h_to_h': { bits: 8, group_size: 32 },
    })
    // The file's float matrix was quantized by the conversion, but not while it was loaded.
    const quantized = await loadModel(path, {
      activations: 'float',
      quantization: { bits: 4, groupSize: 32 },
    })
    expectClose(await quantized.logits(IDS), (await ReferenceModel.open(checkpoint)).logits(IDS), 2e-3)
    quantized.dispose()
    expect(logits).toHaveLength(CONFIG.padded_vocab_size * IDS.length)
    expect(await (await openSource(converted)).has('tokenizer.model')).toBe(true)
  })

  it('is refused where it is of another architecture, or of other bits than are wanted', async () => {
    const file = ggufFile({ 'general.architecture': { string: 'llama' } }, [])
    await expect(openModelCheckpoint(new MemoryFiles([['x.gguf', file]]))).rejects.toMatchObject({
      code: 'checkpoint.model-unsupported',
    })
    const files = new MemoryFiles([['x.gguf', randomGguf(['Q8_0'])]])
    const again = convertCheckpoint(files, folder, { quantization: { bits: 4 } })
    await expect(again).rejects.toMatchObject({ code: 'checkpoint.not-quantizable' })
  })
})

describe('the tokenizer in a GGUF file', () => {
  const tokenizerOf = async (pieces: SentencePieceModel['pieces']) => {
    const metadata = metadataOf({ ...CONFIG, padded_vocab_size: pieces.length + 30 }, pieces)
    const tensors = [
      {
        name: GGUF_NAMES.embedding,
        dtype: 'F32',
        shape: [pieces.length + 30, 1],
        bytes: new Uint8Array(4 * pieces.length + 120),
      },
    ] as const
    return loadTokenizer(
      await openModelCheckpoint(new MemoryFiles([['x.gguf', ggufFile(metadata, tensors)]])),
    )
  }
  const texts = ['你好，世界！', ' a  b\n\tc', 'def f(x):\n  return x ** 2', '😀 𝒳 \u200b', 'Größe 12345', '']

  async function expectSameIds(path: string) {
    const bytes = await readFile(path)
    const tokenizer = await tokenizerOf(readSentencePieceModel(bytes).pieces)
    const expected = Tokenizer.fromSentencePiece(bytes)
    for (const text of texts) expect(tokenizer.encode(text)).toEqual(expected.encode(text))
    expect(tokenizer.special).toEqual(expected.special)
    expect(tokenizer.vocabSize).toBe(expected.vocabSize)
  }

  it('gives the ids of tokenizer.model', () => expectSameIds('models/tiny/tokenizer.model'))

  it.skipIf(!CHATGLM_TOKENIZER)(
    `gives the ids of the official tokenizer.model${CHATGLM_TOKENIZER ? '' : ' (skipped: CHATGLM_TOKENIZER is not set)'}`,
    () => expectSameIds(join(CHATGLM_TOKENIZER!, 'tokenizer.model')),
    30_000,
  )

  it('is refused where it is of another kind, unless a tokenizer.model lies beside it', async () => {
    const metadata = { ...metadataOf(CONFIG, SMALL.pieces), 'tokenizer.ggml.model': { string: 'gpt2' } }
    const tensors = [
      { name: GGUF_NAMES.embedding, dtype: 'F32', shape: [1, 1], bytes: new Uint8Array(4) },
    ] as const
    const file: [string, Uint8Array] = ['x.gguf', ggufFile(metadata, tensors)]
    await expect(loadTokenizer(await openModelCheckpoint(new MemoryFiles([file])))).rejects.toMatchObject({
      code: 'checkpoint.tokenizer-invalid',
      message: expect.stringContaining('GLM-4'),
    })
    const both = new MemoryFiles([file, ['tokenizer.model', writeSentencePieceModel(SMALL)]])
    const beside = await loadTokenizer(await openModelCheckpoint(both))
    expect(beside.vocabSize).toBe(SMALL.pieces.length + SPECIAL_TOKENS.length)
  })
})
