/** Gradient of y = tanh(x) in float64, from the output: dx[i] = dy[i] * (1 - y[i]^2). */
export function tanhBackwardReference(y: ArrayLike<number>, dy: ArrayLike<number>): Float64Array {
  return Float64Array.from(y, (value, i) => dy[i] * (1 - value) * (1 + value))
}
