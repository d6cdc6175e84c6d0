import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../open-checkpoint.js'
import { floats, json, memory, safetensorsFile, utf8 } from '../testing.js'

const POINTER = utf8(
  `version https://git-lfs.github.com/spec/v1\noid sha256:${'ab'.repeat(32)}\nsize 1827781090\n`,
)
const PAGE = utf8('\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>')
const GGML = utf8('ggml\u0003\u0000\u0000\u0000')
const WEIGHTS = safetensorsFile([{ name: 'a', dtype: 'F32', shape: [1], bytes: floats(1) }])
const INDEX = json({ weight_map: { a: 'model-00001-of-00001.safetensors' } })

describe('what lies in the place of a file', () => {
  it.each([
    ['model.safetensors', {}],
    ['pytorch_model.bin', {}],
    ['model.gguf', {}],
    ['model.safetensors.index.json', {}],
    ['pytorch_model.bin.index.json', {}],
    ['model-00001-of-00001.safetensors', { 'model.safetensors.index.json': INDEX }],
    ['config.json', { 'model.safetensors': WEIGHTS }],
  ])('is named: %s', async (file, others: Record<string, Uint8Array>) => {
    for (const [bytes, found] of [
      [POINTER, 'git-lfs-pointer'],
      [PAGE, 'web-page'],
    ] as const) {
      await expect(openCheckpoint(memory({ ...others, [file]: bytes }))).rejects.toMatchObject({
        code: 'checkpoint.not-the-file',
        details: { file, found },
      })
    }
  })

  it('is named: a model of chatglm.cpp', async () => {
    const opened = openCheckpoint(memory({ 'pytorch_model.bin': GGML }))
    await expect(opened).rejects.toMatchObject({
      code: 'checkpoint.unsupported',
      message: expect.stringContaining('chatglm.cpp'),
    })
  })

  it('is nothing else where a file is only damaged', async () => {
    const opened = openCheckpoint(memory({ 'model.safetensors': WEIGHTS.subarray(0, -1) }))
    await expect(opened).rejects.toMatchObject({ code: 'checkpoint.truncated' })
  })
})

describe('an index whose shards are not there', () => {
  it('gives way to weights that are', async () => {
    const checkpoint = await openCheckpoint(
      memory({
        'model.safetensors.index.json': json({ weight_map: { b: 'model-00001-of-00002.safetensors' } }),
        'pytorch_model.bin.index.json': json({ weight_map: { a: 'x.safetensors' } }),
        'x.safetensors': WEIGHTS,
      }),
    )
    expect([...checkpoint.tensors.keys()]).toEqual(['a'])
  })

  it('is the one that is missed where nothing else is there', async () => {
    const opened = openCheckpoint(memory({ 'model.safetensors.index.json': INDEX }))
    await expect(opened).rejects.toMatchObject({ code: 'checkpoint.shard-missing' })
  })
})
