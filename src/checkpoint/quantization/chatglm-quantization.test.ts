import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asUint16Array, asUint32Array, float16ToFloat32, float32ToFloat16 } from '../formats/dtype.js'
import { openCheckpoint } from '../open-checkpoint.js'
import { FIXTURES, memory, safetensorsFile } from '../testing.js'
import {
  chatGLMQuantizationBits,
  chatGLMQuantizedLinear,
  repackChatGLMScales,
  repackChatGLMWeight,
} from './chatglm-quantization.js'
import { dequantizeRows } from './quantized.js'

const golden = () => openCheckpoint(`${FIXTURES}quant_int8_int4.safetensors`)

describe('the outputs of the official quantization', () => {
  for (const bits of [4, 8] as const) {
    for (const groupSize of [32, 64] as const) {
      test(`int${bits} in groups of ${groupSize} dequantize to exactly the official float16 weights`, async () => {
        const checkpoint = await golden()
        const packed = await checkpoint.read(bits === 4 ? 'int4.packed' : 'int8.q_unpacked')
        const scale = asUint16Array(await checkpoint.read(`int${bits}.scale_f16`))
        const words = asUint32Array(repackChatGLMWeight(bits, packed))
        const { scales, biases } = repackChatGLMScales(bits, scale, 64 / groupSize)
        const weights = dequantizeRows(words, scales, biases, { bits, groupSize })
        const official = asUint16Array(await checkpoint.read(`int${bits}.dequant_f16`))
        expect(float16ToFloat32(float32ToFloat16(weights))).toEqual(float16ToFloat32(official))
      })

      test(`int${bits} in groups of ${groupSize} are scale times the official integers without any rounding`, async () => {
        const checkpoint = await golden()
        const packed = await checkpoint.read(bits === 4 ? 'int4.packed' : 'int8.q_unpacked')
        const q = new Int8Array(await checkpoint.read(`int${bits}.q_unpacked`))
        const scale = asUint16Array(await checkpoint.read(`int${bits}.scale_f16`))
        const { scales, biases } = repackChatGLMScales(bits, scale, 64 / groupSize)
        const words = asUint32Array(repackChatGLMWeight(bits, packed))
        const weights = dequantizeRows(words, scales, biases, { bits, groupSize })
        const expected = Float32Array.from(q, (value, i) => {
          const product = value * float16ToFloat32(scale)[Math.floor(i / 64)]!
          return product === 0 ? 0 : product
        })
        expect(weights).toEqual(expected)
      })
    }
  }
})

describe('repacking a weight', () => {
  test('in parts of whole rows, in place or unaligned gives the same', () => {
    const bytes = fc
      .uint8Array({ minLength: 4, maxLength: 64 })
      .map((array) => array.slice(0, array.length & ~3))
    fc.assert(
      fc.property(fc.constantFrom(4 as const, 8 as const), bytes, (bits, packed) => {
        const whole = repackChatGLMWeight(bits, packed)
        const unaligned = new Uint8Array(packed.length + 1)
        unaligned.set(packed, 1)
        expect(repackChatGLMWeight(bits, unaligned.subarray(1))).toEqual(whole)
        expect(repackChatGLMWeight(bits, packed.slice(4))).toEqual(whole.slice(4))
        const target = new Uint8Array(packed.length + 1).subarray(1)
        expect(repackChatGLMWeight(bits, packed, target)).toEqual(whole)
        const own = packed.slice()
        expect(repackChatGLMWeight(bits, own, own)).toBe(own)
        expect(own).toEqual(whole)
      }),
    )
  })

  test('leaves the given bytes as they are', () => {
    const packed = Uint8Array.of(1, 2, 3, 4)
    repackChatGLMWeight(4, packed)
    expect(packed).toEqual(Uint8Array.of(1, 2, 3, 4))
  })

  test('is refused for lengths that are no words, or another target length', () => {
    expect(() => repackChatGLMWeight(4, new Uint8Array(6))).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
    expect(() => repackChatGLMWeight(4, new Uint8Array(8), new Uint8Array(4))).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
  })
})

describe('repacking scales', () => {
  test('is exact for every float16 whose bias is finite, and refused for all others', () => {
    const values = float16ToFloat32(Uint16Array.from({ length: 0x10000 }, (_, i) => i))
    for (const bits of [4, 8] as const) {
      const factor = 2 ** (bits - 1)
      let refused = 0
      for (let half = 0; half < 0x10000; half++) {
        const exact = -factor * values[half]!
        if (Math.abs(exact) <= 65504) {
          const { scales, biases } = repackChatGLMScales(bits, Uint16Array.of(half), 2)
          const isExact =
            scales[0] === half &&
            scales[1] === half &&
            biases[0] === biases[1] &&
            values[biases[0]!] === exact
          if (!isExact) expect.fail(`0x${half.toString(16)} for ${bits} bits`)
        } else {
          expect(() => repackChatGLMScales(bits, Uint16Array.of(half), 2)).toThrow(
            expect.objectContaining({ code: 'checkpoint.not-quantizable' }),
          )
          refused++
        }
      }
      expect(refused).toBeGreaterThan(2048)
    }
  })

  test('names the row that cannot be repacked', () => {
    expect(() => repackChatGLMScales(4, Uint16Array.of(0x3c00, 0x7c00), 1, 100)).toThrow(/row 101/)
  })

  test('takes the scale 0 of a row of zeros', () => {
    const { scales, biases } = repackChatGLMScales(4, Uint16Array.of(0), 1)
    const words = asUint32Array(repackChatGLMWeight(4, new Uint8Array(16)))
    const weights = dequantizeRows(words, scales, biases, { bits: 4, groupSize: 32 })
    expect(weights.every((weight) => weight === 0)).toBe(true)
  })
})

describe('an officially quantized checkpoint', () => {
  test('is known by quantization_bit', () => {
    expect(chatGLMQuantizationBits({ quantization_bit: 4 })).toBe(4)
    expect(chatGLMQuantizationBits({ quantization_bit: 8 })).toBe(8)
    for (const config of [undefined, {}, { quantization_bit: 0 }, { quantization_bit: null }]) {
      expect(chatGLMQuantizationBits(config)).toBeUndefined()
    }
    expect(() => chatGLMQuantizationBits({ quantization_bit: 2 })).toThrow(
      expect.objectContaining({ code: 'checkpoint.config-invalid' }),
    )
  })

  test('has layers with a weight and a scale a row, and others that are dense', async () => {
    const file = (rows: number) =>
      safetensorsFile([
        { name: 'x.weight', dtype: 'I8', shape: [2, 32], bytes: new Uint8Array(64) },
        { name: 'x.weight_scale', dtype: 'F16', shape: [rows], bytes: new Uint8Array(2 * rows) },
      ])
    const open = (rows: number) => openCheckpoint(memory({ 'model.safetensors': file(rows) }))
    expect(chatGLMQuantizedLinear(await open(2), 4, 'x')).toMatchObject({ outFeatures: 2, inFeatures: 64 })
    expect(chatGLMQuantizedLinear(await open(2), 8, 'x')).toMatchObject({ outFeatures: 2, inFeatures: 32 })
    expect(chatGLMQuantizedLinear(await open(2), 4, 'y')).toBeUndefined()
    const mismatched = await open(3)
    expect(() => chatGLMQuantizedLinear(mismatched, 4, 'x')).toThrow(
      expect.objectContaining({ code: 'checkpoint.tensor-mismatch' }),
    )
  })
})
