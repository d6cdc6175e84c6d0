/**
 * Gradient of RMSNorm in float64: dx[r, i] = s * weight[i] * dy[r, i] - x[r, i] * s^3 * mean_j(x[r, j] * weight[j] * dy[r, j])
 * with s = 1 / sqrt(mean_i(x[r, i]^2) + epsilon).
 * @param x [rows, weight.length], the norm's input
 * @param dy [rows, weight.length]
 */
export function rmsNormBackwardReference(
  x: ArrayLike<number>,
  weight: ArrayLike<number>,
  dy: ArrayLike<number>,
  epsilon: number,
): Float64Array {
  const width = weight.length
  const dx = new Float64Array(x.length)
  for (let row = 0; row < x.length; row += width) {
    let squares = 0
    let products = 0
    for (let i = 0; i < width; i++) {
      squares += x[row + i] ** 2
      products += x[row + i] * weight[i] * dy[row + i]
    }
    const scale = 1 / Math.sqrt(squares / width + epsilon)
    const along = (scale ** 3 * products) / width
    for (let i = 0; i < width; i++) dx[row + i] = scale * weight[i] * dy[row + i] - along * x[row + i]
  }
  return dx
}
