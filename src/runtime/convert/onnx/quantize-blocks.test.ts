import { describe, expect, it } from 'vitest'
import { float16ToFloat32, float32ToFloat16 } from '../../../checkpoint/index.js'
import { randomNormal } from '../../../kernels/testing/numbers.js'
import { type BlockFormat, BlockQuantizer, dequantizeBlocks } from './quantize-blocks.js'

function relativeError(actual: Float32Array, expected: Float32Array): number {
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value * value, 0)
  return Math.sqrt(sum(actual.map((value, i) => value - expected[i])) / sum(expected))
}

const halves = (values: Float32Array) => float16ToFloat32(float32ToFloat16(values))

describe('blocks of MatMulNBits', () => {
  // Whole blocks, a row that ends within a block, and an odd number of zeros of 4 bits in a row.
  for (const [bits, blockSize, rows, columns] of [
    [4, 32, 3, 96],
    [4, 32, 2, 72],
    [4, 128, 1, 128],
    [8, 32, 3, 96],
    [8, 64, 2, 80],
  ] as const) {
    it(`of ${bits} bits and ${blockSize} stand for rows of ${columns}, and tell how far they are off`, () => {
      const format: BlockFormat = { bits, blockSize }
      const values = randomNormal(rows * columns, columns + bits)
      const blocks = new BlockQuantizer(format).quantize(values, columns)
      const error = relativeError(dequantizeBlocks(blocks, columns, format), values)
      expect(error).toBeLessThan(bits === 4 ? 0.12 : 0.006)
      expect(Math.sqrt(blocks.squaredError / blocks.squares)).toBeCloseTo(error, 5)
    })
  }

  it('cost little more than with the zero anywhere', () => {
    const values = randomNormal(32 * 256, 5).map((value) => value + 1)
    const format: BlockFormat = { bits: 4, blockSize: 32 }
    const blocks = new BlockQuantizer(format).quantize(values, 256)
    expect(Math.sqrt(blocks.squaredError / blocks.squares)).toBeLessThan(0.1)
  })

  it('lose nothing of rows whose bias is a whole multiple of their scale, as the official INT4 has it', () => {
    const format: BlockFormat = { bits: 4, blockSize: 32 }
    const scales = halves(randomNormal(4, 9).map(Math.abs))
    const biases = scales.map((scale) => -8 * scale)
    const values = Float32Array.from({ length: 4 * 32 }, (_, i) => scales[i >> 5] * (((i * 7) % 16) - 8))
    const blocks = new BlockQuantizer(format).quantize(values, 64, { scales, biases })
    expect(blocks.squaredError).toBe(0)
    expect(dequantizeBlocks(blocks, 64, format)).toEqual(values)
    expect([...blocks.zeros]).toEqual([0x88, 0x88])
  })

  it('of zeros are zeros, and of numbers of one sign keep the zero within the range', () => {
    const format: BlockFormat = { bits: 4, blockSize: 32 }
    const values = Float32Array.from({ length: 96 }, (_, i) => [0, 5 + (i % 32), -5 - (i % 32)][i >> 5])
    const restored = dequantizeBlocks(new BlockQuantizer(format).quantize(values, 96), 96, format)
    expect([...restored.subarray(0, 32)]).toEqual(new Array(32).fill(0))
    expect(relativeError(restored, values)).toBeLessThan(0.05)
  })

  it('tell of numbers that are none', () => {
    const values = new Float32Array(32).fill(1)
    values[3] = Number.NaN
    expect(new BlockQuantizer({ bits: 4, blockSize: 32 }).quantize(values, 32).squares).toBeNaN()
  })
})
