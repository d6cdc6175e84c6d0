/**
 * Gradient of the weight of RMSNorm in float64: dw[i] = sum_r dy[r, i] * x[r, i] * s_r with
 * s_r = 1 / sqrt(mean_i(x[r, i]^2) + epsilon).
 * @param x [rows, width], the norm's input
 * @param dy [rows, width]
 */
export function rmsNormWeightGradientReference(
  x: ArrayLike<number>,
  dy: ArrayLike<number>,
  width: number,
  epsilon: number,
): Float64Array {
  const dw = new Float64Array(width)
  for (let row = 0; row < x.length; row += width) {
    let squares = 0
    for (let i = 0; i < width; i++) squares += x[row + i] ** 2
    const scale = 1 / Math.sqrt(squares / width + epsilon)
    for (let i = 0; i < width; i++) dw[i] += dy[row + i] * x[row + i] * scale
  }
  return dw
}
