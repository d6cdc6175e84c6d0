/**
 * Product with a transposed weight in float64: dx[r, i] = sum_n dy[r, n] * w[n, i].
 * @param dy [rows, outFeatures]
 * @param w [outFeatures, inFeatures]
 */
export function linearTransposedReference(
  dy: ArrayLike<number>,
  w: ArrayLike<number>,
  inFeatures: number,
): Float64Array {
  const outFeatures = w.length / inFeatures
  const rows = dy.length / outFeatures
  const dx = new Float64Array(rows * inFeatures)
  for (let r = 0; r < rows; r++) {
    for (let n = 0; n < outFeatures; n++) {
      const factor = dy[r * outFeatures + n]
      for (let i = 0; i < inFeatures; i++) dx[r * inFeatures + i] += factor * w[n * inFeatures + i]
    }
  }
  return dx
}
