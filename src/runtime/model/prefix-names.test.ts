import { describe, expect, it } from 'vitest'
import {
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  writeSafetensors,
} from '../../checkpoint/index.js'
import { checkAdapter, findEncoder } from './prefix-names.js'

async function checkpointOf(names: readonly string[], file = 'model.safetensors', adapter?: object | string) {
  const text = typeof adapter === 'string' ? adapter : JSON.stringify(adapter)
  const files = new MemoryFiles(adapter ? [['adapter_config.json', new TextEncoder().encode(text)]] : [])
  const tensors = names.map(
    (name): TensorWithBytes => ({ name, dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }),
  )
  await writeSafetensors(files, file, tensors)
  return openCheckpoint(files)
}

describe('a prefix', () => {
  const full = 'transformer.prefix_encoder.embedding.weight'

  it.each([
    ['a trainer', full],
    ['DistributedDataParallel and DeepSpeed', `module.${full}`],
    ['PEFT, by the names of its models', `base_model.model.${full}`],
    ['a shorter name', 'prefix_encoder.embedding.weight'],
    ['the encoder alone', 'embedding.weight'],
    ['one tensor alone', 'weight'],
  ])('is found in what %s saves', async (_, name) => {
    expect(findEncoder(await checkpointOf([name]))).toEqual({ embedding: name, projection: undefined })
  })

  it('is found with the layers behind it, and among other tensors', async () => {
    const before = 'module.transformer.prefix_encoder.'
    const checkpoint = await checkpointOf([
      'module.transformer.embedding.word_embeddings.weight',
      `${before}embedding.weight`,
      `${before}trans.0.weight`,
    ])
    expect(findEncoder(checkpoint)).toEqual({
      embedding: `${before}embedding.weight`,
      projection: `${before}trans.`,
    })
  })

  it('is named by what is there instead, where there is none', async () => {
    const refused = async (names: readonly string[]) => {
      const checkpoint = await checkpointOf(names)
      return expect(() => findEncoder(checkpoint))
    }
    const others = ['a.weight', 'b.weight', 'weight']
    const matching = (pattern: RegExp) =>
      expect.objectContaining({ code: 'checkpoint.prefix-invalid', message: expect.stringMatching(pattern) })
    ;(await refused(others)).toThrow(matching(/a\.weight, b\.weight/))
    ;(await refused(['x.lora_A.weight', 'x.lora_B.weight'])).toThrow(matching(/LoRA/))
    ;(await refused([`a.${full}`, `b.${full}`])).toThrow(matching(/2 prefix encoders/))
  })
})

describe("a folder of PEFT's", () => {
  it('holds a prefix where it says prefix tuning', async () => {
    const adapter = { peft_type: 'PREFIX_TUNING', num_virtual_tokens: 4 }
    const checkpoint = await checkpointOf(['prompt_embeddings'], 'adapter_model.safetensors', adapter)
    await checkAdapter(checkpoint)
    expect(findEncoder(checkpoint).embedding).toBe('prompt_embeddings')
  })

  it.each([
    ['PROMPT_TUNING', /first layer/],
    ['P_TUNING', /first layer/],
    ['LORA', /merge it into the model/],
    ['IA3', /not read/],
  ])('is refused by its method: %s', async (method, message) => {
    const checkpoint = await checkpointOf(['prompt_embeddings'], 'adapter_model.safetensors', {
      peft_type: method,
    })
    await expect(checkAdapter(checkpoint)).rejects.toMatchObject({
      code: 'checkpoint.prefix-invalid',
      message: expect.stringMatching(message),
    })
  })

  it('is one also where a server answers with a web page for what it does not have', async () => {
    const page = '<!doctype html><title>An application</title>'
    await checkAdapter(await checkpointOf(['weight'], 'model.safetensors', page))
  })
})
