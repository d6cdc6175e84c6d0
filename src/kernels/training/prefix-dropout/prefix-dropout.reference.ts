import { randomBits } from '../../sampling/sample/sample.reference.js'

/**
 * What each element of a prefix is multiplied by: 0 with a probability, else 1 / (1 - probability).
 * @returns [count]
 */
export function dropoutMaskReference(count: number, probability: number, seed: number): Float64Array {
  const threshold = Math.round(probability * 2 ** 32)
  return Float64Array.from({ length: count }, (_, i) =>
    randomBits(seed, i, 0) < threshold ? 0 : 1 / (1 - probability),
  )
}
