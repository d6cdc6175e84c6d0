/**
 * Matrix product in float64: y[r, n] = sum_i x[r, i] * w[n, i] + bias[n].
 * @param x [rows, inFeatures]
 * @param w [outFeatures, inFeatures]
 * @param bias [outFeatures], or nothing
 */
export function linearReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  inFeatures: number,
  bias?: ArrayLike<number>,
): Float64Array {
  const rows = x.length / inFeatures
  const outFeatures = w.length / inFeatures
  const y = new Float64Array(rows * outFeatures)
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < outFeatures; n++) {
      let sum = bias?.[n] ?? 0
      for (let i = 0; i < inFeatures; i++) sum += x[r * inFeatures + i] * w[n * inFeatures + i]
      y[r * outFeatures + n] = sum
    }
  }
  return y
}
