/**
 * RMSNorm in float64: y[r, i] = x[r, i] / sqrt(mean_i(x[r, i]^2) + epsilon) * weight[i].
 * @param x [rows, weight.length]
 */
export function rmsNormReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const width = weight.length
  const y = new Float64Array(x.length)
  for (let row = 0; row < x.length; row += width) {
    let squares = 0
    for (let i = 0; i < width; i++) squares += x[row + i] ** 2
    const scale = 1 / Math.sqrt(squares / width + epsilon)
    for (let i = 0; i < width; i++) y[row + i] = x[row + i] * scale * weight[i]
  }
  return y
}
