/**
 * Gradient of the weight of a linear layer y = x w^T in float64: dw[o, i] = sum_r dy[r, o] * x[r, i].
 * @param dy [rows, outFeatures]
 * @param x [rows, inFeatures]
 * @returns [outFeatures, inFeatures]
 */
export function linearWeightGradientReference(
  { inFeatures, outFeatures }: { inFeatures: number; outFeatures: number },
  dy: ArrayLike<number>,
  x: ArrayLike<number>,
): Float64Array {
  const dw = new Float64Array(outFeatures * inFeatures)
  const rows = x.length / inFeatures
  for (let r = 0; r < rows; r++) {
    for (let o = 0; o < outFeatures; o++) {
      const factor = dy[r * outFeatures + o]
      for (let i = 0; i < inFeatures; i++) dw[o * inFeatures + i] += factor * x[r * inFeatures + i]
    }
  }
  return dw
}
