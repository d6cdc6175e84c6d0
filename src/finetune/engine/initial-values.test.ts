import { describe, expect, it } from 'vitest'
import { initialValues } from './initial-values.js'

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('initial values', () => {
  it('of an embedding are N(0, 1)', () => {
    const values = initialValues(100_001, { normal: true }, 42, 0)
    expect(Math.abs(mean(values))).toBeLessThan(0.01)
    expect(Math.abs(mean(values.map((value) => value ** 2)) - 1)).toBeLessThan(0.02)
    expect(Math.abs(mean(values.map((value) => value ** 4)) - 3)).toBeLessThan(0.15)
    const within = values.filter((value) => Math.abs(value) < 1).length / values.length
    expect(Math.abs(within - 0.6827)).toBeLessThan(0.006)
  })

  it('of a linear layer are uniform up to the bound', () => {
    const values = initialValues(100_000, { bound: 0.25 }, 42, 0)
    expect(values.every((value) => Math.abs(value) <= 0.25)).toBe(true)
    expect(Math.abs(mean(values))).toBeLessThan(0.002)
    expect(Math.abs(mean(values.map((value) => value ** 2)) / (0.25 ** 2 / 3) - 1)).toBeLessThan(0.02)
  })

  it('are the same again with the same seed, and others with another seed or parameter', () => {
    const draw = (seed: number, index: number) => initialValues(8, { normal: true }, seed, index)
    expect(draw(1, 0)).toEqual(draw(1, 0))
    const all = [draw(1, 0), draw(2, 0), draw(1, 1), draw(1 + 2 ** 32, 0)].map(([value]) => value)
    expect(new Set(all).size).toBe(4)
  })
})
