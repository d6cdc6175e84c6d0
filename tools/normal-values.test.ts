import { describe, expect, it } from 'vitest'
import { float16ToFloat32 } from '../src/checkpoint/index.js'
import { fillNormalFloat16, normalQuantile } from './normal-values.js'

const COUNT = 2 ** 17

function values(mean: number, deviation: number, seed = 1, label = 'x'): Float32Array {
  const halves = new Uint16Array(COUNT)
  fillNormalFloat16(halves, { mean, deviation }, seed, label)
  return float16ToFloat32(halves)
}

describe('normalQuantile', () => {
  // Abramowitz and Stegun, table 26.5, and its mirror image.
  it.each([
    [0.5, 0],
    [0.8413447461, 1],
    [0.9772498681, 2],
    [0.998650102, 3],
    [0.001, -3.090232306],
    [0.1, -1.281551566],
  ])('of %d is %d', (probability, expected) => {
    expect(normalQuantile(probability)).toBeCloseTo(expected, 7)
  })
})

describe('fillNormalFloat16', () => {
  it('gives the mean, the deviation and the tails of a normal distribution', () => {
    const numbers = values(1, 0.5)
    const mean = numbers.reduce((sum, value) => sum + value, 0) / COUNT
    const variance = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / COUNT
    const beyondTwo = numbers.filter((value) => Math.abs(value - 1) > 1).length / COUNT
    expect(mean).toBeCloseTo(1, 2)
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2)
    expect(beyondTwo).toBeCloseTo(0.0455, 2)
  })

  it('depends on the seed and on the label, and on nothing else', () => {
    const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => value === b[i])
    expect(same(values(0, 1), values(0, 1))).toBe(true)
    expect(same(values(0, 1, 2), values(0, 1, 1))).toBe(false)
    expect(same(values(0, 1, 1, 'y'), values(0, 1, 1, 'x'))).toBe(false)
  })

  it('gives neighbours that do not resemble each other', () => {
    const numbers = values(0, 1)
    for (const distance of [1, 2, 3, 64]) {
      let product = 0
      for (let i = distance; i < COUNT; i++) product += numbers[i] * numbers[i - distance]
      expect(Math.abs(product / COUNT)).toBeLessThan(0.02)
    }
  })
})
