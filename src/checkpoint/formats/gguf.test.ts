import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GGMLQuantizationType, gguf } from '@huggingface/gguf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listCheckpoint } from '../listing.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { CountingSource, ggufFile, memory } from '../testing.js'
import { blockLayout, isBlockType, type StoredType } from './ggml-types.js'
import { openGguf } from './gguf.js'
import type { GgufWritable } from './gguf-writer.js'
import type { TensorLayout } from './tensor-file.js'

const METADATA: Readonly<Record<string, GgufWritable>> = {
  'general.architecture': { string: 'chatglm' },
  'chatglm.block_count': { uint32: 28 },
  'chatglm.attention.layer_norm_rms_epsilon': { float32: 1e-5 },
  'tokenizer.ggml.add_bos_token': { bool: false },
  'tokenizer.ggml.tokens': { strings: ['<unk>', '\ufeff', '你好', '😀'] },
  'tokenizer.ggml.scores': { float32s: Float32Array.of(0, -1, -2, -3.5) },
  'tokenizer.ggml.token_type': { int32s: Int32Array.of(2, 1, 1, 1) },
}
const TYPES: readonly StoredType[] = ['F32', 'F16', 'BF16', 'Q4_0', 'Q8_0', 'Q4_K', 'Q6_K', 'I32']

/** A tensor of each type, its bytes counted up. */
const TENSORS = TYPES.map((dtype, i) => {
  const columns = 256
  const bytesOfRow = isBlockType(dtype)
    ? (columns / blockLayout(dtype).elements) * blockLayout(dtype).bytes
    : columns * { F32: 4, F16: 2, BF16: 2, I32: 4 }[dtype as 'F32']
  const rows = i + 1
  const bytes = Uint8Array.from({ length: rows * bytesOfRow }, (_, at) => (at * 7 + i) % 251)
  return { name: `${dtype}.weight`, dtype, shape: [rows, columns], bytes }
})
const FILE = ggufFile(METADATA, TENSORS)

/** The file with a value of another type at a place, as a program with a fault would write it. */
function withUint32(at: number, value: number, file = FILE): Uint8Array {
  const bytes = file.slice()
  new DataView(bytes.buffer).setUint32(at, value, true)
  return bytes
}

/** Where something is in the file's bytes. */
const positionOf = (text: string) => Buffer.from(FILE).indexOf(text)

describe('a GGUF file', () => {
  it('has the metadata and the tensors that were written', async () => {
    const { metadata, tensors } = await openGguf(memory({ 'x.gguf': FILE }), 'x.gguf')
    const values = Object.entries(METADATA).map(([key, value]) => [key, Object.values(value)[0]])
    expect([...metadata]).toEqual(
      values.map(([key, value]) => [key, value === 1e-5 ? Math.fround(1e-5) : value]),
    )
    expect([...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }))).toEqual(
      TENSORS.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    )
    const checkpoint = await openCheckpoint(memory({ 'x.gguf': FILE }))
    for (const { name, bytes } of TENSORS) expect(await checkpoint.read(name)).toEqual(bytes)
  })

  it('is read as the package @huggingface/gguf reads it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chatglm-gguf-'))
    try {
      await writeFile(join(folder, 'x.gguf'), FILE)
      const oracle = await gguf(join(folder, 'x.gguf'), { allowLocalFile: true })
      const { metadata, tensors } = await openGguf(memory({ 'x.gguf': FILE }), 'x.gguf')
      for (const [key, value] of metadata) {
        // The package takes a byte order mark at the beginning of a text off.
        const plain = Array.isArray(value) ? value.map((text) => text.replace(/^\ufeff/, '')) : value
        expect((oracle.metadata as Record<string, unknown>)[key], key).toEqual(
          ArrayBuffer.isView(plain) ? [...(plain as Float32Array)] : plain,
        )
      }
      const listed = oracle.tensorInfos.map(({ name, shape, dtype, offset }) => ({
        name,
        dtype: GGMLQuantizationType[dtype],
        shape: shape.map(Number).reverse(),
        begin: Number(offset),
      }))
      const ours = [...tensors].map(([name, layout]) => {
        const { dtype, shape, begin } = layout as TensorLayout & { begin: number }
        return { name, dtype, shape, begin }
      })
      expect(ours).toEqual(listed)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('is read by its header alone, whatever its size and wherever the header ends', async () => {
    const tokens = Array.from({ length: 60_000 }, (_, i) => `token ${i}`)
    const file = ggufFile({ ...METADATA, 'tokenizer.ggml.tokens': { strings: tokens } }, [])
    const padded = new Uint8Array(16 * 2 ** 20)
    padded.set(file)
    const source = new CountingSource(memory({ 'x.gguf': padded }))
    const { metadata } = await openGguf(source, 'x.gguf')
    expect((metadata.get('tokenizer.ggml.tokens') as string[]).at(-1)).toBe('token 59999')
    expect(source.total).toBeLessThanOrEqual(2 * 2 ** 20)
  })

  it('is told by its content, not by its name', async () => {
    const checkpoint = await openCheckpoint([new File([FILE as BlobPart], 'weights.bin')])
    expect(checkpoint.tensors.size).toBe(TENSORS.length)
  })
})

describe('parts of a GGUF file', () => {
  const part = (index: number, count: number, tensors = TENSORS.slice(index * 4, index * 4 + 4)) =>
    ggufFile(
      {
        ...(index === 0 && METADATA),
        'split.no': { uint32: index },
        'split.count': { uint32: count },
        'split.tensors.count': { uint32: TENSORS.length },
      },
      tensors,
    )
  const names = ['x-00001-of-00002.gguf', 'x-00002-of-00002.gguf']
  const files = { [names[0]]: part(0, 2), [names[1]]: part(1, 2) }

  it('are one checkpoint', async () => {
    const checkpoint = await openCheckpoint(memory(files))
    expect([...checkpoint.tensors.keys()]).toEqual(TENSORS.map(({ name }) => name))
    expect(checkpoint.metadata?.get('chatglm.block_count')).toBe(28)
    for (const { name, bytes } of TENSORS) expect(await checkpoint.read(name)).toEqual(bytes)
    expect((await listCheckpoint(memory(files))).map(({ path }) => path)).toEqual(names)
  })

  it('are missed by name, and refused where they are of different files', async () => {
    const missing = openCheckpoint(memory({ [names[0]]: files[names[0]] }))
    await expect(missing).rejects.toMatchObject({
      code: 'checkpoint.shard-missing',
      message: expect.stringContaining(names[1]),
    })
    const twice = openCheckpoint(memory({ ...files, [names[1]]: part(0, 2) }))
    await expect(twice).rejects.toMatchObject({ code: 'checkpoint.corrupt' })
    const renamed = openCheckpoint(memory({ 'model.gguf': files[names[0]] }))
    await expect(renamed).rejects.toMatchObject({ code: 'checkpoint.shard-missing' })
  })

  it('are not mixed up with other files in the folder', async () => {
    const two = openCheckpoint(memory({ 'a.gguf': FILE, 'b.gguf': FILE }))
    await expect(two).rejects.toMatchObject({
      code: 'source.not-found',
      message: expect.stringContaining('a.gguf, b.gguf'),
    })
  })
})

describe('a damaged GGUF file', () => {
  const open = (bytes: Uint8Array) => openCheckpoint(memory({ 'x.gguf': bytes }))

  it.each([
    ['another version', withUint32(4, 1), 'checkpoint.unsupported'],
    ['another byte order', withUint32(4, 3 << 24), 'checkpoint.unsupported'],
    ['more tensors than there can be', withUint32(12, 1), 'checkpoint.corrupt'],
    ['more keys than there can be', withUint32(16, 2 ** 30), 'checkpoint.corrupt'],
    [
      'a type that is not read',
      withUint32(positionOf('Q6_K.weight') + 11 + 4 + 16, 20),
      'checkpoint.unsupported',
    ],
    [
      'rows that are no whole blocks',
      withUint32(positionOf('Q6_K.weight') + 11 + 4, 255),
      'checkpoint.corrupt',
    ],
    [
      'an offset between alignments',
      withUint32(positionOf('F16.weight') + 10 + 4 + 16 + 4, 1),
      'checkpoint.corrupt',
    ],
    [
      'a tensor inside another',
      withUint32(positionOf('F16.weight') + 10 + 4 + 16 + 4, 32),
      'checkpoint.corrupt',
    ],
    ['text that is none', withUint32(positionOf('你好'), 0xffffffff), 'checkpoint.corrupt'],
    [
      'a value of an unknown type',
      withUint32(positionOf('chatglm.block_count') + 19, 99),
      'checkpoint.corrupt',
    ],
  ])('is refused: %s', async (_, bytes, code) => {
    await expect(open(bytes)).rejects.toMatchObject({ code })
  })

  it('is refused at whatever byte it ends', async () => {
    const end = fc.nat({ max: FILE.byteLength - 33 })
    await fc.assert(
      fc.asyncProperty(end, async (length) => {
        await expect(open(FILE.subarray(0, length))).rejects.toMatchObject({
          code: expect.stringMatching(/^checkpoint\.(truncated|corrupt)$/),
        })
      }),
      { numRuns: 200 },
    )
  })
})
