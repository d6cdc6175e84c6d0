import { describe, expect, test } from 'vitest'
import { toFloat32 } from './formats/dtype.js'
import { openCheckpoint } from './open-checkpoint.js'
import {
  CountingSource,
  FIXTURES,
  fixture,
  floats,
  GOLDEN,
  json,
  memory,
  safetensorsFile,
} from './testing.js'

const LAYER = 'transformer.encoder.layers.0'
const tensor = (name: string, ...values: number[]) =>
  ({ name, dtype: 'F32', shape: [values.length], bytes: floats(...values) }) as const

/** One layer, split over two shards. */
const SHARDS = {
  'a.safetensors': safetensorsFile([tensor(`${LAYER}.mlp.up`, 1, 2), tensor('embedding', 3)]),
  'b.safetensors': safetensorsFile([tensor(`${LAYER}.mlp.down`, 4)]),
}
const WEIGHT_MAP = {
  embedding: 'a.safetensors',
  [`${LAYER}.mlp.up`]: 'a.safetensors',
  [`${LAYER}.mlp.down`]: 'b.safetensors',
}
const INDEX = 'model.safetensors.index.json'
const withIndex = (index: unknown, shards: Record<string, Uint8Array> = SHARDS) =>
  openCheckpoint(memory({ ...shards, [INDEX]: json(index) }))

describe('a folder opens', () => {
  test('with model.safetensors and config.json', async () => {
    const checkpoint = await openCheckpoint(
      memory({
        'model.safetensors': safetensorsFile([tensor('a', 1, 2)]),
        'config.json': json({ num_layers: 2 }),
      }),
    )
    expect(checkpoint.config).toEqual({ num_layers: 2 })
    expect([...checkpoint.tensors.values()]).toEqual([
      { name: 'a', dtype: 'F32', shape: [2], byteLength: 8, file: 'model.safetensors' },
    ])
  })

  test('without config.json, and then has no config', async () => {
    expect(
      (await openCheckpoint(memory({ 'model.safetensors': safetensorsFile([]) }))).config,
    ).toBeUndefined()
  })

  test('with an index of shards, and a layer may be split over two', async () => {
    const checkpoint = await withIndex({ metadata: { total_size: 16 }, weight_map: WEIGHT_MAP })
    expect(checkpoint.requireTensor(`${LAYER}.mlp.up`).file).toBe('a.safetensors')
    expect(checkpoint.requireTensor(`${LAYER}.mlp.down`).file).toBe('b.safetensors')
    expect([...toFloat32(await checkpoint.read(`${LAYER}.mlp.up`), 'F32')]).toEqual([1, 2])
    expect([...toFloat32(await checkpoint.read(`${LAYER}.mlp.down`), 'F32')]).toEqual([4])
  })

  test('with an index of torch shards', async () => {
    const checkpoint = await openCheckpoint(
      memory({
        'pytorch_model.bin.index.json': json({
          weight_map: { 'linear.bias': 'pytorch_model-00001-of-00001.bin' },
        }),
        'pytorch_model-00001-of-00001.bin': await fixture('state_dict.bin'),
      }),
    )
    expect([...checkpoint.tensors.keys()]).toEqual(['linear.bias'])
    expect([...toFloat32(await checkpoint.read('linear.bias'), 'F32')]).toEqual([0.5, -0.5])
  })

  test('with safetensors rather than torch files, and with a single file rather than an index', async () => {
    const files = {
      'pytorch_model.bin': await fixture('state_dict.bin'),
      [INDEX]: json({ weight_map: WEIGHT_MAP }),
      ...SHARDS,
    }
    expect((await openCheckpoint(memory(files))).tensors.size).toBe(3)
    const single = { ...files, 'model.safetensors': safetensorsFile([tensor('a', 1)]) }
    expect((await openCheckpoint(memory(single))).tensors.size).toBe(1)
  })

  test('by one file of it, of any name', async () => {
    const checkpoint = await openCheckpoint(`${FIXTURES}quant_int8_int4.safetensors`)
    expect(checkpoint.tensors.size).toBe(8)
    await expect(openCheckpoint(`${FIXTURES}no-such-file.bin`)).rejects.toMatchObject({
      code: 'source.not-found',
    })
  })

  test('only where it holds weights', async () => {
    const opened = openCheckpoint(memory({ 'config.json': json({}) }))
    await expect(opened).rejects.toMatchObject({ code: 'source.not-found' })
    await expect(opened).rejects.toThrow(/none of model\.safetensors/)
    const unfinished = openCheckpoint(memory({ 'checkpoint-progress.json': json({}) }))
    await expect(unfinished).rejects.toThrow(/unfinished/)
  })

  test('only where config.json is JSON', async () => {
    const files = { 'model.safetensors': safetensorsFile([]), 'config.json': floats(1) }
    await expect(openCheckpoint(memory(files))).rejects.toThrow(/config\.json is not valid JSON/)
  })
})

describe('an index is refused', () => {
  test('that lists a missing shard, which the error names with its tensors', async () => {
    const { 'b.safetensors': _, ...rest } = SHARDS
    const error = await withIndex({ weight_map: WEIGHT_MAP }, rest).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'checkpoint.shard-missing' })
    expect(error).toMatchObject({ details: { shard: 'b.safetensors', tensors: [`${LAYER}.mlp.down`] } })
    expect(String(error)).toContain(`${LAYER}.mlp.down`)
  })

  test('that places a tensor in a shard without it', async () => {
    const opened = withIndex({ weight_map: { ...WEIGHT_MAP, ghost: 'a.safetensors' } })
    await expect(opened).rejects.toMatchObject({ code: 'checkpoint.corrupt' })
    await expect(opened).rejects.toThrow(/"ghost" in a\.safetensors/)
  })

  test('whose total size is not that of the tensors', async () => {
    const opened = withIndex({ metadata: { total_size: 17 }, weight_map: WEIGHT_MAP })
    await expect(opened).rejects.toThrow(/17 bytes together, but the shards have 16/)
  })

  test('that is no index', async () => {
    for (const index of [
      [],
      {},
      { weight_map: [] },
      { weight_map: { a: 1 } },
      { metadata: { total_size: -1 }, weight_map: {} },
    ]) {
      await expect(withIndex(index)).rejects.toMatchObject({ code: 'checkpoint.corrupt' })
    }
  })

  test('that leads out of the folder', async () => {
    for (const path of [
      '../a.safetensors',
      '/a.safetensors',
      'x/../../a.safetensors',
      'C:\\a',
      '..\\a',
      'C:a',
      'a\0b',
      '',
    ]) {
      await expect(withIndex({ weight_map: { a: path } })).rejects.toMatchObject({
        code: 'checkpoint.unsafe-path',
      })
    }
  })
})

describe('a tensor', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 256)
  const files = memory({
    'model.safetensors': safetensorsFile([{ name: 'a', dtype: 'U8', shape: [10, 100], bytes }]),
  })

  test('is read whole, in part and as a stream', async () => {
    const checkpoint = await openCheckpoint(files)
    expect(await checkpoint.read('a')).toEqual(bytes)
    expect(await checkpoint.readRange('a', 100, 300)).toEqual(bytes.subarray(100, 300))
    expect((await checkpoint.readRange('a', 1000, 1000)).byteLength).toBe(0)
    const chunks: Uint8Array[] = []
    for await (const chunk of checkpoint.stream('a', 300)) chunks.push(chunk)
    expect(chunks.map((chunk) => chunk.byteLength)).toEqual([300, 300, 300, 100])
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
  })

  test('is read without a larger buffer than asked for, and without a copy from memory', async () => {
    const source = new CountingSource(files)
    const checkpoint = await openCheckpoint(source)
    source.largest = 0
    for await (const _ of checkpoint.stream('a', 64));
    expect(source.largest).toBe(64)
    expect((await checkpoint.read('a')).buffer).toBe((await checkpoint.readRange('a', 1, 2)).buffer)
  })

  test('is not read beyond its ends', async () => {
    const checkpoint = await openCheckpoint(files)
    for (const [start, end] of [
      [0, 1001],
      [-1, 1],
      [5, 4],
      [0.5, 1],
      [0, NaN],
    ] as const) {
      await expect(checkpoint.readRange('a', start, end)).rejects.toThrow(RangeError)
    }
    await expect(checkpoint.stream('a', 0).next()).rejects.toMatchObject({ code: 'option.invalid' })
  })

  test('is not read any further once the signal is aborted, and the reason comes out', async () => {
    const checkpoint = await openCheckpoint(files)
    const abort = new AbortController()
    const reason = new Error('enough')
    const chunks = checkpoint.stream('a', 100, { signal: abort.signal })
    await chunks.next()
    abort.abort(reason)
    await expect(chunks.next()).rejects.toBe(reason)
    await expect(checkpoint.read('a', { signal: abort.signal })).rejects.toBe(reason)
  })

  test('that is missing is named together with close names', async () => {
    const names = ['transformer.prefix_encoder.embedding.weight', `${LAYER}.mlp.dense_h_to_4h.weight`]
    const checkpoint = await openCheckpoint(
      memory({ 'model.safetensors': safetensorsFile(names.map((name) => tensor(name, 1))) }),
    )
    expect(() => checkpoint.requireTensor('embedding.weight')).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-missing' }),
    )
    expect(() => checkpoint.requireTensor('embedding.weight')).toThrow(
      /Similar names: transformer\.prefix_encoder/,
    )
    expect(() => checkpoint.requireTensor(`${LAYER}.mlp.dense_h_to_4h.wieght`)).toThrow(
      /Similar names: .*dense_h_to_4h\.weight/,
    )
    expect(() => checkpoint.requireTensor('lm_head')).toThrow(/none of a similar name/)
    await expect(checkpoint.read('lm_head')).rejects.toMatchObject({ code: 'checkpoint.tensor-missing' })
  })

  test('of another dtype or shape than needed is refused with both', async () => {
    const checkpoint = await openCheckpoint(files)
    expect(checkpoint.requireTensor('a', { dtype: ['F16', 'U8'], shape: [10, 100] }).byteLength).toBe(1000)
    expect(() => checkpoint.requireTensor('a', { dtype: ['F16', 'BF16'] })).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
    expect(() => checkpoint.requireTensor('a', { dtype: ['F16', 'BF16'] })).toThrow(
      /U8; F16 or BF16 is needed/,
    )
    expect(() => checkpoint.requireTensor('a', { shape: [10, 10] })).toThrow(
      /\[10, 100\]; \[10, 10\] is needed/,
    )
    expect(() => checkpoint.requireTensor('a', { shape: [1000] })).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
  })
})

describe.skipIf(GOLDEN === undefined)('the reference checkpoints (skipped without CHATGLM_GOLDEN)', () => {
  for (const name of ['mqa-d32', 'mqa-d128']) {
    test(`${name} opens with the official names and float16 weights`, async () => {
      const checkpoint = await openCheckpoint(`${GOLDEN}/${name}`)
      const { padded_vocab_size: vocab, hidden_size: hidden } = checkpoint.config as Record<string, number>
      const shape = [vocab!, hidden!]
      checkpoint.requireTensor('transformer.embedding.word_embeddings.weight', { dtype: ['F16'], shape })
      checkpoint.requireTensor('transformer.output_layer.weight', { dtype: ['F16'], shape })
    })

    test(`the prefix of ${name} is the same as safetensors and as .bin`, async () => {
      const bin = await openCheckpoint(`${GOLDEN}/${name}/prefix_pytorch_model.bin`)
      const twin = await openCheckpoint(`${GOLDEN}/${name}/prefix_encoder.safetensors`)
      const tensor = 'transformer.prefix_encoder.embedding.weight'
      const [a, b] = await Promise.all([bin, twin].map((file) => file.read(tensor)))
      expect(toFloat32(a!, 'F32')).toEqual(toFloat32(b!, twin.requireTensor(tensor).dtype as 'F16' | 'F32'))
      expect(bin.config).toEqual(twin.config)
    })
  }
})
