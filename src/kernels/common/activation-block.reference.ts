import { ACTIVATION_BLOCK } from './activation-block.js'

/** Rounds to the nearest integer, ties to even, as WGSL's `round`. */
function roundToEven(value: number): number {
  const rounded = Math.round(value)
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

/**
 * Activations as the 8-bit format of common/activation-block.wgsl represents them, in float64.
 * @param x a multiple of 32 elements
 */
export function quantizedActivationsReference(x: ArrayLike<number>): Float64Array {
  const y = new Float64Array(x.length)
  for (let first = 0; first < x.length; first += ACTIVATION_BLOCK) {
    let largest = 0
    for (let i = first; i < first + ACTIVATION_BLOCK; i++) largest = Math.max(largest, Math.abs(x[i]))
    const scale = largest / 127
    for (let i = first; i < first + ACTIVATION_BLOCK; i++) {
      y[i] = scale > 1e-30 ? scale * roundToEven(x[i] / scale) : 0
    }
  }
  return y
}
