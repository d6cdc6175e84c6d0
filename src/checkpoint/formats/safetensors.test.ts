import { describe, expect, test } from 'vitest'
import type { ErrorCode } from '../../errors/index.js'
import { FolderSource } from '../node/folder-source.js'
import { MemoryFiles } from '../sinks/memory-files.js'
import { FIXTURES, floats, memory, safetensorsBytes, utf8 } from '../testing.js'
import { openSafetensors, planSafetensors, writeSafetensors } from './safetensors.js'

const open = (bytes: Uint8Array) => openSafetensors(memory({ 'x.safetensors': bytes }), 'x.safetensors')
const tensor = (begin: unknown, end: unknown, shape: unknown = [1], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

describe('a file of the reference implementation', () => {
  test('opens with the tensors and offsets of its header', async () => {
    const file = await openSafetensors(await FolderSource.open(FIXTURES), 'quant_int8_int4.safetensors')
    expect(file.tensors.size).toBe(8)
    expect(file.tensors.get('int4.packed')).toMatchObject({ dtype: 'I8', shape: [8, 32], byteLength: 256 })
    expect(await file.offsetOf('int4.packed')).toBe(8 + 584 + 3104)
  })
})

describe('a header is refused', () => {
  const refused: [string, unknown, number, ErrorCode, RegExp][] = [
    ['that is no JSON', '{"a"', 0, 'checkpoint.corrupt', /not valid JSON/],
    ['that is no object', '[]', 0, 'checkpoint.corrupt', /no JSON object/],
    [
      'that gives a tensor twice',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0061":{}}',
      4,
      'checkpoint.corrupt',
      /"a" twice/,
    ],
    [
      'that gives a field twice',
      '{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      'checkpoint.corrupt',
      /"dtype" twice/,
    ],
    ['with metadata other than strings', { __metadata__: { a: 1 } }, 0, 'checkpoint.corrupt', /__metadata__/],
    ['with a tensor that is no object', { a: 1 }, 0, 'checkpoint.corrupt', /no description/],
    [
      'with a tensor without dtype',
      { a: { shape: [1], data_offsets: [0, 4] } },
      4,
      'checkpoint.corrupt',
      /no dtype/,
    ],
    ['with an unknown dtype', { a: tensor(0, 4, [4], 'F8_E4M3') }, 4, 'checkpoint.unsupported', /F8_E4M3/],
    [
      'with the dtype of a prototype',
      { a: tensor(0, 4, [4], 'toString') },
      4,
      'checkpoint.unsupported',
      /toString/,
    ],
    ['with a negative dimension', { a: tensor(0, 4, [-1]) }, 4, 'checkpoint.corrupt', /shape/],
    ['with a fractional dimension', { a: tensor(0, 4, [0.5]) }, 4, 'checkpoint.corrupt', /shape/],
    [
      'with a dimension beyond 2^53',
      '{"a":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,4]}}',
      4,
      'checkpoint.corrupt',
      /shape/,
    ],
    [
      'with dimensions whose product is beyond 2^53',
      { a: tensor(0, 4, [2 ** 30, 2 ** 30]) },
      4,
      'checkpoint.corrupt',
      /2\^53/,
    ],
    ['with a dimension that is a string', { a: tensor(0, 4, ['1']) }, 4, 'checkpoint.corrupt', /shape/],
    ['with offsets that are no numbers', { a: tensor(null, '4') }, 4, 'checkpoint.corrupt', /data_offsets/],
    ['with offsets backwards', { a: tensor(4, 0) }, 4, 'checkpoint.corrupt', /-4 bytes/],
    ['whose shape needs other bytes', { a: tensor(0, 8) }, 8, 'checkpoint.corrupt', /8 bytes .* need 4/],
    [
      'with tensors that overlap',
      { a: tensor(0, 8, [2]), b: tensor(4, 8) },
      8,
      'checkpoint.corrupt',
      /inside the tensor before/,
    ],
    [
      'with a hole before a tensor',
      { a: tensor(0, 4), b: tensor(8, 12) },
      12,
      'checkpoint.corrupt',
      /behind a hole/,
    ],
    ['that reaches beyond the file', { a: tensor(0, 4) }, 3, 'checkpoint.truncated', /incomplete/],
    ['that leaves bytes over', { a: tensor(0, 4) }, 5, 'checkpoint.corrupt', /1 more than/],
  ]
  for (const [what, header, dataBytes, code, message] of refused) {
    test(what, async () => {
      const opened = open(safetensorsBytes(header, new Uint8Array(dataBytes)))
      await expect(opened).rejects.toMatchObject({ code })
      await expect(opened).rejects.toThrow(message)
    })
  }

  test('that claims more bytes than a header may have, before they are read', async () => {
    const bytes = safetensorsBytes({})
    new DataView(bytes.buffer).setBigUint64(0, 2n ** 63n, true)
    await expect(open(bytes)).rejects.toThrow(/claims a header of 9223372036854775808 bytes/)
    new DataView(bytes.buffer).setBigUint64(0, 8_000_000n, true)
    await expect(open(bytes)).rejects.toMatchObject({ code: 'checkpoint.truncated' })
  })

  test('that is not there', async () => {
    await expect(open(new Uint8Array(7))).rejects.toMatchObject({ code: 'checkpoint.truncated' })
  })

  test('that is no UTF-8', async () => {
    const bytes = safetensorsBytes('{"a?":1}')
    bytes[8 + 3] = 0xff
    await expect(open(bytes)).rejects.toMatchObject({ code: 'checkpoint.corrupt' })
  })
})

describe('a header is accepted', () => {
  test('without tensors', async () => {
    expect((await open(safetensorsBytes({}))).tensors.size).toBe(0)
  })

  test('with empty tensors anywhere, a scalar, any order and any names', async () => {
    const header =
      '{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]},' +
      '"empty":{"dtype":"F16","shape":[0,99],"data_offsets":[4,4]}}   '
    const file = await open(safetensorsBytes(header, new Uint8Array(8)))
    expect([...file.tensors.keys()]).toEqual(['__proto__', 'empty', 'b'])
  })
})

describe('writing', () => {
  const tensors = [
    { name: 'odd', dtype: 'U8', shape: [3], bytes: Uint8Array.of(1, 2, 3) },
    { name: '__proto__', dtype: 'F32', shape: [2, 1], bytes: floats(1, 2) },
    { name: 'half', dtype: 'F16', shape: [1], bytes: Uint8Array.of(5, 6) },
    { name: 'wide', dtype: 'I64', shape: [], bytes: new Uint8Array(8).fill(9) },
  ] as const

  test('gives a file that reads back, every tensor aligned to its dtype and the header to 8 bytes', async () => {
    const sink = new MemoryFiles()
    await writeSafetensors(sink, 'x.safetensors', tensors)
    const file = await openSafetensors(sink, 'x.safetensors')
    expect([...file.tensors.keys()]).toEqual(['__proto__', 'wide', 'half', 'odd'])
    for (const { name, dtype, shape, bytes } of tensors) {
      const offset = await file.offsetOf(name)
      expect(file.tensors.get(name)).toMatchObject({ dtype, shape, byteLength: bytes.byteLength })
      expect(await sink.read('x.safetensors', offset, offset + bytes.byteLength)).toEqual(bytes)
    }
    const offsets = await Promise.all(['__proto__', 'wide', 'half'].map((name) => file.offsetOf(name)))
    expect(offsets.map((offset) => offset % 8)).toEqual([0, 0, 0])
  })

  test('keeps the order of tensors whose length is a multiple of 8', () => {
    const declarations = ['z', 'a', 'm'].map((name) => ({ name, dtype: 'F16' as const, shape: [4] }))
    expect(planSafetensors(declarations).tensors.map(({ name }) => name)).toEqual(['z', 'a', 'm'])
  })

  test('refuses names given twice, the reserved name, impossible shapes and missing bytes', async () => {
    const declare = (name: string, shape = [1]) => ({ name, dtype: 'F32' as const, shape })
    expect(() => planSafetensors([declare('a'), declare('a')])).toThrow(
      expect.objectContaining({ code: 'sink.write-order' }),
    )
    expect(() => planSafetensors([declare('__metadata__')])).toThrow(
      expect.objectContaining({ code: 'sink.write-order' }),
    )
    expect(() => planSafetensors([declare('a', [-1])])).toThrow(
      expect.objectContaining({ code: 'sink.write-order' }),
    )
    expect(() => planSafetensors([declare('a', [2 ** 52])])).toThrow(
      expect.objectContaining({ code: 'sink.write-order' }),
    )
    const write = writeSafetensors(new MemoryFiles(), 'x', [{ ...declare('a', [2]), bytes: floats(1) }])
    await expect(write).rejects.toMatchObject({ code: 'checkpoint.tensor-mismatch' })
  })

  test("says in the metadata that the tensors are PyTorch's, as Hugging Face's loaders demand", () => {
    const text = new TextDecoder().decode(planSafetensors([]).header.subarray(8))
    expect(JSON.parse(text)).toEqual({ __metadata__: { format: 'pt' } })
    expect(utf8(text).byteLength % 8).toBe(0)
  })
})
