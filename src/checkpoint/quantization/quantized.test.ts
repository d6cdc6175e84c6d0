import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asUint16Array, float16ToFloat32, float32ToFloat16 } from '../formats/dtype.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { memory, safetensorsFile } from '../testing.js'
import {
  dequantizeRows,
  formatQuantizationConfig,
  parseQuantizationConfig,
  quantizationOf,
  quantizedLinear,
} from './quantized.js'

const X = 'transformer.encoder.layers.0.mlp.dense_h_to_4h'
const parse = (quantization: unknown) => parseQuantizationConfig({ quantization })

describe('"quantization" in config.json', () => {
  test('gives bits and group size, and layers that differ', () => {
    const config = parse({
      bits: 4,
      group_size: 64,
      mode: 'affine',
      [X]: { bits: 8, group_size: 32 },
      y: false,
      z: true,
    })
    expect(quantizationOf(config, 'any.weight')).toEqual({ bits: 4, groupSize: 64 })
    expect(quantizationOf(config, `${X}.weight`)).toEqual({ bits: 8, groupSize: 32 })
    expect(quantizationOf(config, X)).toEqual({ bits: 8, groupSize: 32 })
    expect(quantizationOf(config, 'y.weight')).toBeUndefined()
    expect(quantizationOf(config, 'z')).toEqual({ bits: 4, groupSize: 64 })
  })

  test('may be absent', () => {
    for (const config of [undefined, null, {}, { quantization: null }, []]) {
      expect(parseQuantizationConfig(config)).toBeUndefined()
    }
    expect(quantizationOf(undefined, X)).toBeUndefined()
  })

  test('is formatted so that it parses to the same', () => {
    const json = { group_size: 128, bits: 8, [X]: { group_size: 64, bits: 4 }, y: false }
    expect(formatQuantizationConfig(parse(json)!)).toEqual(json)
  })

  test('is refused with other bits, group sizes, modes and types, each named', () => {
    const good = { bits: 4, group_size: 64 }
    const refused: [unknown, RegExp][] = [
      [4, /no object/],
      [{ ...good, bits: 7 }, /bits 7/],
      [{ group_size: 64 }, /bits undefined/],
      [{ ...good, bits: '4' }, /bits "4"/],
      [{ ...good, group_size: 0 }, /group_size 0/],
      [{ ...good, mode: 'mxfp4' }, /"mxfp4"/],
      [{ ...good, x: 1 }, /of "x"/],
      [{ ...good, x: { bits: 1, group_size: 64 } }, /of "x".*bits 1/],
    ]
    for (const [quantization, message] of refused) {
      expect(() => parse(quantization)).toThrow(
        expect.objectContaining({ code: 'checkpoint.config-invalid' }),
      )
      expect(() => parse(quantization)).toThrow(message)
    }
  })
})

describe('a quantized layer', () => {
  const config = parse({ bits: 4, group_size: 32 })
  const trio = (words: number, groups: number, scalesDType: 'F16' | 'U32' = 'F16') => {
    const width = scalesDType === 'F16' ? 2 : 4
    return safetensorsFile([
      { name: `${X}.weight`, dtype: 'U32', shape: [2, words], bytes: new Uint8Array(8 * words) },
      {
        name: `${X}.scales`,
        dtype: scalesDType,
        shape: [2, groups],
        bytes: new Uint8Array(2 * groups * width),
      },
      { name: `${X}.biases`, dtype: 'F16', shape: [2, groups], bytes: new Uint8Array(4 * groups) },
    ])
  }
  const open = (file: Uint8Array) => openCheckpoint(memory({ 'model.safetensors': file }))

  test('is described by its three tensors', async () => {
    const linear = quantizedLinear(await open(trio(8, 2)), config, X)
    expect(linear).toMatchObject({ bits: 4, groupSize: 32, outFeatures: 2, inFeatures: 64 })
    expect(linear?.scales.name).toBe(`${X}.scales`)
  })

  test('is dense without scales, and unknown without a config', async () => {
    const checkpoint = await open(trio(8, 2))
    expect(quantizedLinear(checkpoint, config, 'other')).toBeUndefined()
    expect(() => quantizedLinear(checkpoint, undefined, X)).toThrow(
      expect.objectContaining({ code: 'checkpoint.config-invalid' }),
    )
  })

  test('whose tensors do not fit each other is refused', async () => {
    for (const file of [trio(8, 1), trio(7, 2), trio(8, 2, 'U32')]) {
      const checkpoint = await open(file)
      expect(() => quantizedLinear(checkpoint, config, X)).toThrow(
        expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
      )
    }
  })
})

describe('dequantization', () => {
  test('gives scale * q + bias, the first element in the lowest bits', () => {
    const [one, half, minus] = float32ToFloat16(Float32Array.of(1, 0.5, -8))
    // 32 elements of 4 bits: 0, 1, 2 ... 15, 0 ...
    const words = Uint32Array.of(0x76543210, 0xfedcba98, 0x76543210, 0xfedcba98)
    const q4 = dequantizeRows(words, Uint16Array.of(half!), Uint16Array.of(minus!), {
      bits: 4,
      groupSize: 32,
    })
    expect([...q4]).toEqual(Array.from({ length: 32 }, (_, i) => (i % 16) * 0.5 - 8))
    const bytes = Uint32Array.from({ length: 8 }, () => 0xff800100)
    const q8 = dequantizeRows(bytes, Uint16Array.of(one!), Uint16Array.of(0), { bits: 8, groupSize: 32 })
    expect([...q8.subarray(0, 5)]).toEqual([0, 1, 128, 255, 0])
  })

  test('agrees with the definition for any integers and groups', () => {
    const quantization = fc.record({
      bits: fc.constantFrom(4 as const, 8 as const),
      groupSize: fc.constantFrom(32 as const, 64 as const, 128 as const),
      groups: fc.integer({ min: 1, max: 4 }),
      seed: fc.integer(),
    })
    fc.assert(
      fc.property(quantization, ({ bits, groupSize, groups, seed }) => {
        const count = groupSize * groups
        const q = Array.from(
          { length: count },
          (_, i) => Math.abs((seed ^ (i * 2654435761)) >> 7) % 2 ** bits,
        )
        const words = new Uint32Array((count * bits) / 32)
        q.forEach((value, i) => {
          words[Math.floor((i * bits) / 32)]! |= value << ((i * bits) % 32)
        })
        const scales = float32ToFloat16(Float32Array.from({ length: groups }, (_, g) => 0.01 * (g + 1)))
        const biases = float32ToFloat16(Float32Array.from({ length: groups }, (_, g) => -0.3 * g))
        const weights = dequantizeRows(words, scales, biases, { bits, groupSize })
        const [s, b] = [float16ToFloat32(scales), float16ToFloat32(biases)]
        return q.every((value, i) => {
          const group = Math.floor(i / groupSize)
          return weights[i] === Math.fround(s[group]! * value + b[group]!)
        })
      }),
    )
  })

  test('is refused where words and scales do not fit', () => {
    const short = asUint16Array(new Uint8Array(2))
    const quantization = { bits: 4, groupSize: 32 } as const
    expect(() => dequantizeRows(new Uint32Array(8), short, short, quantization)).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
  })
})
