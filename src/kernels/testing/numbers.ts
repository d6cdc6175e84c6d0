import { expect } from 'vitest'

/** A seeded random source: mulberry32, uniform in [0, 1). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `count` normally distributed f32 numbers with the given standard deviation. */
export function randomNormal(count: number, seed: number, deviation = 1): Float32Array<ArrayBuffer> {
  const random = randomSource(seed)
  return Float32Array.from(
    { length: count },
    () => deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  )
}

/** Asserts max |actual - expected| <= tolerance * max |expected|, and that every element was written. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length)
  let largest = 0
  let worst = 0
  let where = -1
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]))
    const difference = Math.abs(actual[i] - expected[i])
    if (!(difference <= worst)) {
      worst = difference
      where = i
    }
  }
  const message = `element ${where}: got ${actual[where]}, expected ${expected[where]}`
  expect(worst, message).toBeLessThanOrEqual(tolerance * largest)
}
