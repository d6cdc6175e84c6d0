/** Hyperbolic tangent in float64, element by element. */
export function tanhReference(x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, Math.tanh)
}
