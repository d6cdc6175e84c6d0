import { describe, expect, test } from 'vitest'
import {
  asUint32Array,
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  tensorBytes,
  toFloat32,
} from './dtype.js'

const ALL_HALVES = Uint16Array.from({ length: 0x10000 }, (_, i) => i)

/** The value of a float16 by its definition. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 0x3ff
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

describe('float16', () => {
  test('every float16 converts to the float32 of the same value', () => {
    const values = float16ToFloat32(ALL_HALVES)
    expect(ALL_HALVES.filter((half) => !Object.is(values[half], halfValue(half)))).toEqual(Uint16Array.of())
  })

  test('every float16 but NaN comes back from float32 unchanged, and NaN stays NaN', () => {
    const back = float32ToFloat16(float16ToFloat32(ALL_HALVES))
    const isKept = (half: number) =>
      Number.isNaN(halfValue(half)) ? Number.isNaN(halfValue(back[half]!)) : back[half] === half
    expect(ALL_HALVES.filter((half) => !isKept(half))).toEqual(Uint16Array.of())
  })

  test('the middle of two neighbours rounds to the even one, anything beside it to the nearer one', () => {
    for (let low = 0; low < 0x7bff; low++) {
      const middle = (halfValue(low) + halfValue(low + 1)) / 2
      // float32 has room for the middle, and for numbers just beside it.
      const ulp = 2 ** (Math.floor(Math.log2(middle)) - 23)
      const [at, below, above] = float32ToFloat16(Float32Array.of(middle, middle - ulp, middle + ulp))
      if (at !== (low % 2 === 0 ? low : low + 1) || below !== low || above !== low + 1) {
        expect.fail(`around ${middle}: ${below} ${at} ${above}`)
      }
    }
  })

  test('what is too large becomes infinity from 65520 on, what is too small becomes a signed zero', () => {
    const values = Float32Array.of(
      65504,
      65519.996,
      65520,
      -1e30,
      Infinity,
      2 ** -25,
      -(2 ** -25),
      2 ** -24,
      1e-45,
    )
    expect([...float32ToFloat16(values)]).toEqual([0x7bff, 0x7bff, 0x7c00, 0xfc00, 0x7c00, 0, 0x8000, 1, 0])
  })
})

describe('bfloat16', () => {
  test('every bfloat16 but NaN comes back from float32 unchanged, and NaN stays NaN', () => {
    const values = bfloat16ToFloat32(ALL_HALVES)
    const back = float32ToBfloat16(values)
    const again = bfloat16ToFloat32(back)
    const isKept = (bits: number) =>
      Number.isNaN(values[bits]) ? Number.isNaN(again[bits]) : back[bits] === bits
    expect(ALL_HALVES.filter((bits) => !isKept(bits))).toEqual(Uint16Array.of())
  })

  test('ties round to even', () => {
    // 1 + 2^-8 lies between 1 and 1 + 2^-7; 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6.
    const rounded = bfloat16ToFloat32(
      float32ToBfloat16(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38)),
    )
    expect([...rounded]).toEqual([1, 1 + 2 ** -6, Infinity])
  })
})

describe('bytes', () => {
  test('aligned bytes are viewed, others are copied', () => {
    const bytes = Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0, 3)
    expect(asUint32Array(bytes.subarray(0, 8)).buffer).toBe(bytes.buffer)
    expect([...asUint32Array(bytes.subarray(4, 8))]).toEqual([2])
    expect([...asUint32Array(bytes.subarray(1, 9))]).toEqual([0x02000000, 0x03000000])
    expect(() => asUint32Array(bytes)).toThrow(RangeError)
  })

  test('F32, F16 and BF16 bytes are read as the same numbers', () => {
    expect([...toFloat32(Uint8Array.of(0, 0, 192, 63), 'F32')]).toEqual([1.5])
    expect([...toFloat32(Uint8Array.of(0, 0x3e), 'F16')]).toEqual([1.5])
    expect([...toFloat32(Uint8Array.of(192, 63), 'BF16')]).toEqual([1.5])
  })

  test('the size of a tensor is known or too large to be one', () => {
    expect(tensorBytes('F16', [65024, 4096])).toBe(532676608)
    expect(tensorBytes('I64', [])).toBe(8)
    expect(tensorBytes('F32', [2 ** 40, 2 ** 40, 0])).toBe(0)
    expect(tensorBytes('F32', [2 ** 40, 2 ** 12])).toBeUndefined()
  })
})
