import { describe, expect, it } from 'vitest'
import {
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  writeSafetensors,
} from '../../checkpoint/index.js'
import { Tokenizer } from '../../tokenizer/index.js'
import { storedMatrix } from './blocks/block-readers.js'
import { parseModelConfig } from './config.js'
import { noteOnChatGlm2 } from './other-models.js'

const refused = (config: object) => {
  try {
    parseModelConfig(config)
  } catch (error) {
    return error
  }
  return undefined
}

describe('a relative of ChatGLM3', () => {
  it.each([
    ['GLM-4', { model_type: 'chatglm', padded_vocab_size: 151_552, num_layers: 40 }],
    ['GLM-4', { model_type: 'glm4', vocab_size: 151_552 }],
    [
      'the first ChatGLM-6B',
      { model_type: 'chatglm', inner_hidden_size: 16_384, position_encoding_2d: true },
    ],
  ])('is refused by its name: %s', (name, config) => {
    expect(refused(config)).toMatchObject({
      code: 'checkpoint.model-unsupported',
      message: expect.stringContaining(name),
    })
  })

  it('is told of where it runs, but not as it is used: ChatGLM2-6B', () => {
    expect(noteOnChatGlm2({ _name_or_path: 'THUDM/chatglm2-6b' })).toContain('[Round 1]')
    expect(noteOnChatGlm2({ _name_or_path: 'THUDM/chatglm3-6b' })).toBeUndefined()
    expect(noteOnChatGlm2({})).toBeUndefined()
  })

  it('is refused by its tokenizer: the vocabulary of tiktoken', () => {
    const lines = Array.from(
      { length: 300 },
      (_, i) => `${Buffer.of(i & 255, i >> 8).toString('base64')} ${i}\n`,
    )
    expect(() => Tokenizer.fromSentencePiece(Buffer.from(lines.join('')))).toThrow(
      expect.objectContaining({
        code: 'checkpoint.tokenizer-invalid',
        message: expect.stringMatching(/tiktoken.*GLM-4(?!.*[Dd]ownload)/s),
      }),
    )
  })
})

describe('weights of another quantizer', () => {
  it.each(['gptq', 'awq', 'bitsandbytes'])(
    'are refused by config.json, before anything is read: %s',
    (method) => {
      expect(
        refused({ model_type: 'chatglm', quantization_config: { quant_method: method, bits: 4 } }),
      ).toMatchObject({
        code: 'checkpoint.quantizer-unsupported',
        message: expect.stringContaining(`"${method}"`),
      })
    },
  )

  it.each([
    ['layer.qweight', 'GPTQ or AWQ'],
    ['layer.weight.absmax', 'bitsandbytes'],
    ['layer.SCB', 'bitsandbytes'],
  ])('are refused by their tensors where config.json says nothing: %s', async (name, tool) => {
    const tensors: TensorWithBytes[] = [
      { name: 'layer.weight', dtype: 'U8', shape: [4, 1], bytes: new Uint8Array(4) },
      { name, dtype: 'I32', shape: [1, 2], bytes: new Uint8Array(8) },
    ]
    const files = new MemoryFiles()
    await writeSafetensors(files, 'model.safetensors', tensors)
    const checkpoint = await openCheckpoint(files)
    expect(() => storedMatrix(checkpoint, { name: 'layer.weight', shape: [2, 4] })).toThrow(
      expect.objectContaining({
        code: 'checkpoint.quantizer-unsupported',
        message: expect.stringContaining(tool),
      }),
    )
  })

  it('are not those of MLX, which says as much under the same key', () => {
    const same = { group_size: 64, bits: 4 }
    expect(refused({ model_type: 'chatglm', quantization: same, quantization_config: same })).toMatchObject({
      code: 'checkpoint.model-unsupported',
      message: expect.stringContaining('rmsnorm'),
    })
  })
})
