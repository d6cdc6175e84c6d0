import { describe, expect, it } from 'vitest'
import { asUint16Array, blockLayout, float16ToFloat32, float32ToFloat16 } from '../../../checkpoint/index.js'
import { randomNormal } from '../../../kernels/testing/numbers.js'
import { referenceElement } from '../../model/blocks/ggml.reference.js'
import { roundToHalf } from './block-quantizer.js'
import { encodeRows, type NBitsFormat, type WrittenBlockType } from './encode-rows.js'
import { decodeNBits } from './testing/decode-rows.js'

function relativeError(actual: ArrayLike<number>, expected: Float32Array): number {
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value * value, 0)
  return Math.sqrt(sum(expected.map((value, i) => actual[i] - value)) / sum(expected))
}

const halves = (values: Float32Array) => float16ToFloat32(float32ToFloat16(values))
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** Float16 rows in blocks of MatMulNBits, and what these stand for. */
function nbits(values: Float32Array, columns: number, format: NBitsFormat) {
  const encoded = encodeRows({
    rows: { weight: bytesOf(float32ToFloat16(values)) },
    quantization: undefined,
    columns,
    form: { kind: 'nbits', scales: 'F16', ...format },
  })
  const [weight, scales, zeros] = encoded.parts
  const decoded = decodeNBits(weight, asUint16Array(scales), zeros, columns, format)
  return { ...encoded, zeros, decoded, error: Math.sqrt(encoded.squaredError / encoded.squares) }
}

/** Affine rows of one group of 32 for each scale, whose integers are those given. */
function affine(integers: readonly number[], scales: Float32Array, biases: Float32Array) {
  const weight = new Uint8Array(integers.length / 2)
  for (const [i, q] of integers.entries()) weight[i >> 1] |= q << ((i & 1) * 4)
  return {
    weight,
    scales: bytesOf(float32ToFloat16(scales)),
    biases: bytesOf(float32ToFloat16(biases)),
  }
}

describe('rows in blocks of MatMulNBits', () => {
  // Whole blocks, a row that ends within a block, and an odd number of zeros of 4 bits in a row.
  for (const [bits, blockSize, rows, columns] of [
    [4, 32, 3, 96],
    [4, 32, 2, 72],
    [4, 128, 1, 128],
    [8, 32, 3, 96],
    [8, 64, 2, 80],
  ] as const) {
    it(`of ${bits} bits and ${blockSize} stand for rows of ${columns}, and tell how far they are off`, () => {
      const values = halves(randomNormal(rows * columns, columns + bits))
      const { decoded, error } = nbits(values, columns, { bits, blockSize })
      expect(relativeError(decoded, values)).toBeLessThan(bits === 4 ? 0.12 : 0.006)
      expect(error).toBeCloseTo(relativeError(decoded, values), 5)
    })
  }

  it('cost little more than with the zero anywhere', () => {
    const values = randomNormal(32 * 256, 5).map((value) => value + 1)
    expect(nbits(values, 256, { bits: 4, blockSize: 32 }).error).toBeLessThan(0.1)
  })

  it('lose nothing of groups whose bias is a whole multiple of their scale, of either sign', () => {
    const scales = halves(randomNormal(4, 9))
    const integers = Array.from({ length: 4 * 32 }, (_, i) => (i * 7) % 16)
    const { parts, squaredError } = encodeRows({
      rows: affine(
        integers,
        scales,
        scales.map((scale) => -8 * scale),
      ),
      quantization: { bits: 4, groupSize: 32 },
      columns: 64,
      form: { kind: 'nbits', bits: 4, blockSize: 32, scales: 'F16' },
    })
    const [weight, stored, zeros] = parts
    expect(squaredError).toBe(0)
    expect([...zeros]).toEqual([0x88, 0x88])
    expect(decodeNBits(weight, asUint16Array(stored), zeros, 64, { bits: 4, blockSize: 32 })).toEqual(
      Float32Array.from(integers, (q, i) => scales[i >> 5] * (q - 8)),
    )
  })

  it('of zeros are zeros, and of numbers of one sign keep the zero within the range', () => {
    const values = Float32Array.from({ length: 96 }, (_, i) => [0, 5 + (i % 32), -5 - (i % 32)][i >> 5])
    const { decoded } = nbits(values, 96, { bits: 4, blockSize: 32 })
    expect([...decoded.subarray(0, 32)]).toEqual(new Array(32).fill(0))
    expect(relativeError(decoded, values)).toBeLessThan(0.05)
  })

  it('tell of numbers that are none', () => {
    const values = new Float32Array(32).fill(1)
    values[3] = Number.NaN
    expect(nbits(values, 32, { bits: 4, blockSize: 32 }).squares).toBeNaN()
  })
})

describe.each(['Q4_0', 'Q8_0'] satisfies WrittenBlockType[])('rows in blocks of %s', (type) => {
  const decode = (bytes: Uint8Array) => {
    const { bytes: size, elements } = blockLayout(type)
    return Array.from({ length: (bytes.length / size) * elements }, (_, i) => {
      const at = Math.floor(i / elements) * size
      return referenceElement(type, bytes.subarray(at, at + size), i % elements)
    })
  }

  it('stand for the rows as ggml reads them', () => {
    const values = halves(randomNormal(4 * 96, 3))
    const { parts, squaredError, squares } = encodeRows({
      rows: { weight: bytesOf(float32ToFloat16(values)) },
      quantization: undefined,
      columns: 96,
      form: { kind: 'ggml', type },
    })
    const error = relativeError(decode(parts[0]), values)
    expect(error).toBeLessThan(type === 'Q4_0' ? 0.1 : 0.006)
    expect(Math.sqrt(squaredError / squares)).toBeCloseTo(error, 5)
  })

  it('keep every integer of groups that are such blocks', () => {
    const middle = type === 'Q4_0' ? 8 : 128
    const scales = halves(randomNormal(3, 4))
    const integers = Array.from({ length: 96 }, (_, i) => (i * 37) % (2 * middle))
    const groups = affine(
      type === 'Q4_0' ? integers : new Array(96).fill(0),
      scales,
      scales.map((scale) => -middle * scale),
    )
    const { parts, squaredError } = encodeRows({
      rows: type === 'Q4_0' ? groups : { ...groups, weight: Uint8Array.from(integers) },
      quantization: { bits: type === 'Q4_0' ? 4 : 8, groupSize: 32 },
      columns: 96,
      form: { kind: 'ggml', type },
    })
    expect(squaredError).toBe(0)
    expect(decode(parts[0])).toEqual(integers.map((q, i) => scales[i >> 5] * (q - middle)))
  })
})

describe('the nearest float16 number', () => {
  it('is what the conversion of arrays gives', () => {
    const values = [
      0,
      1e-9,
      3e-8,
      5.9e-8,
      1e-5,
      6.1e-5,
      0.1,
      1 / 3,
      1,
      2047.5,
      2049,
      65503,
      -0.7,
      -3e-6,
      -6.1e-5,
    ]
    const rounded = float16ToFloat32(float32ToFloat16(Float32Array.from(values)))
    expect(values.map((value) => roundToHalf(Math.fround(value)))).toEqual([...rounded])
  })

  it('is finite', () => {
    expect([1e6, -Infinity].map(roundToHalf)).toEqual([65504, -65504])
  })
})
