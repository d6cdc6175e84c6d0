import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../errors/index.js'
import { CheckpointError } from '../../errors/index.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { MemoryFiles } from '../sinks/memory-files.js'
import { CountingSource, FIXTURES, fixture, memory } from '../testing.js'
import { asUint32Array, toFloat32 } from './dtype.js'
import { writeTorchBin } from './torch-bin-writer.js'

const open = (name: string) => openCheckpoint(FIXTURES + name)

async function values(name: string, tensor: string): Promise<number[]> {
  return [...toFloat32(await (await open(name)).read(tensor), 'F32')]
}

describe('a file written by torch', () => {
  test("of a module's state dict opens", async () => {
    const { tensors } = await open('state_dict.bin')
    expect([...tensors.values()]).toMatchObject([
      { name: 'linear.weight', dtype: 'F32', shape: [2, 3], byteLength: 24, file: 'state_dict.bin' },
      { name: 'linear.bias', dtype: 'F32', shape: [2], byteLength: 8 },
    ])
    expect(await values('state_dict.bin', 'linear.weight')).toEqual([0, 1, 2, 3, 4, 5])
    expect(await values('state_dict.bin', 'linear.bias')).toEqual([0.5, -0.5])
  })

  test('with pickle protocol 4, or with zip64 records, reads the same', async () => {
    expect(await values('state_dict_protocol4.bin', 'linear.weight')).toEqual([0, 1, 2, 3, 4, 5])
    expect(await values('zip64.bin', 'linear.weight')).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('gives every dtype, and leaves out what is no tensor', async () => {
    const checkpoint = await open('dtypes.bin')
    const summary = [...checkpoint.tensors.values()].map(({ name, dtype, shape }) => [name, dtype, shape])
    const dtypes = ['F64', 'F16', 'BF16', 'I64', 'I32', 'I8', 'U8', 'BOOL', 'U32']
    expect(summary).toEqual([
      ['parameter', 'F32', [2]],
      ...dtypes.map((dtype) => [dtype, dtype, [1]]),
      ['scalar', 'F32', []],
      ['empty', 'F32', [0, 4]],
    ])
    expect(await values('dtypes.bin', 'parameter')).toEqual([1, 2])
    expect([...toFloat32(await checkpoint.read('BF16'), 'BF16')]).toEqual([1.5])
    expect([...asUint32Array(await checkpoint.read('U32'))]).toEqual([4294967294])
    expect([...(await checkpoint.read('I8'))]).toEqual([254])
    expect((await checkpoint.read('empty')).byteLength).toBe(0)
  })

  test('with tensors that share a storage gives each its own part', async () => {
    expect(await values('shared.bin', 'all')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(await values('shared.bin', 'last')).toEqual([8, 9, 10, 11])
    expect(await values('shared.bin', 'row')).toEqual([4, 5, 6, 7])
  })

  test('of the P-Tuning v2 trainer gives the prefix of its safetensors twin', async () => {
    const name = 'transformer.prefix_encoder.embedding.weight'
    const prefix = await open('prefix_pytorch_model.bin')
    const twin = await open('prefix_encoder.safetensors')
    expect(prefix.requireTensor(name, { dtype: ['F32'], shape: [8, 384] }).byteLength).toBe(12288)
    expect(toFloat32(await prefix.read(name), 'F32')).toEqual(
      toFloat32(await twin.read(name), twin.requireTensor(name).dtype as 'F32' | 'F16'),
    )
  })

  test('is read in parts: opening it reads no tensor', async () => {
    const sink = new MemoryFiles()
    const bytes = new Uint8Array(10_000_000)
    await writeTorchBin(sink, 'pytorch_model.bin', [
      { name: 'a', dtype: 'U8', shape: [bytes.byteLength], bytes },
    ])
    const source = new CountingSource(sink)
    const checkpoint = await openCheckpoint(source)
    await checkpoint.readRange('a', 4, 8)
    expect(source.total).toBeLessThan(200_000)
  })
})

describe('a file is refused', () => {
  const refused: [string, string, ErrorCode, RegExp][] = [
    ['whose pickle would run a command', 'evil.bin', 'checkpoint.unsafe-pickle', /"(posix|nt|os)\.system"/],
    ['that holds a whole module', 'whole_module.bin', 'checkpoint.unsafe-pickle', /"__main__\.Net"/],
    [
      'in the format before torch 1.6, with the way to save it anew',
      'legacy.bin',
      'checkpoint.unsupported',
      /torch\.save\(torch\.load/,
    ],
    [
      'with a transposed tensor',
      'transposed.bin',
      'checkpoint.unsupported',
      /"weight".*strides.*\.contiguous\(\)/,
    ],
    ['with compressed entries', 'compressed.bin', 'checkpoint.unsupported', /compressed/],
    ['of a big-endian machine', 'big_endian.bin', 'checkpoint.unsupported', /byte order "big"/],
    ['without tensors', 'no_tensors.bin', 'checkpoint.unsupported', /state_dict/],
  ]
  for (const [what, name, code, message] of refused) {
    test(what, async () => {
      await expect(open(name)).rejects.toMatchObject({ code })
      await expect(open(name)).rejects.toThrow(message)
    })
  }

  test('cut anywhere', async () => {
    const whole = await fixture('state_dict.bin')
    for (let length = 0; length < whole.byteLength; length += 7) {
      const opened = openCheckpoint(memory({ 'pytorch_model.bin': whole.subarray(0, length) }))
      await expect(opened).rejects.toBeInstanceOf(CheckpointError)
    }
  })

  test('whose storage is shorter than the pickle says', async () => {
    const bytes = (await fixture('prefix_pytorch_model.bin')).slice()
    // BININT2 3072, the number of elements of the storage, becomes 3071 and 3073.
    const at = bytes.findIndex((byte, i) => byte === 0x4d && bytes[i + 1] === 0x00 && bytes[i + 2] === 0x0c)
    bytes[at + 1] = 1
    await expect(openCheckpoint(memory({ 'pytorch_model.bin': bytes }))).rejects.toThrow(/12292 bytes/)
    bytes.set([0xff, 0x0b], at + 1)
    await expect(openCheckpoint(memory({ 'pytorch_model.bin': bytes }))).rejects.toThrow(/beyond its storage/)
  })

  test('that is neither zip nor pickle', async () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(100), Uint8Array.of(0x50, 0x4b, 3, 4)]) {
      await expect(openCheckpoint(memory({ 'pytorch_model.bin': bytes }))).rejects.toMatchObject({
        code: 'checkpoint.corrupt',
      })
    }
  })
})
