import type { HeadShape } from '../../common/heads.js'

/**
 * Attention of one row in float64, all heads: softmax(q . k / sqrt(headDim) + bias) v over cache rows 0 .. end - 1.
 * @param query [heads * headDim]
 * @param keys [at least end, kvGroups * headDim]
 * @param values [at least end, kvGroups * headDim]
 * @param prefixLength cache rows whose score gets `prefixBias` added
 */
export function attentionReference(
  query: ArrayLike<number>,
  keys: ArrayLike<number>,
  values: ArrayLike<number>,
  { heads, kvGroups, headDim }: HeadShape,
  end: number,
  prefixLength: number,
  prefixBias: number,
): Float64Array {
  const y = new Float64Array(heads * headDim)
  for (let head = 0; head < heads; head++) {
    const group = Math.floor((head * kvGroups) / heads)
    const at = (c: number, d: number) => (c * kvGroups + group) * headDim + d
    const scores = Float64Array.from({ length: end }, (_, c) => {
      let score = 0
      for (let d = 0; d < headDim; d++) score += query[head * headDim + d] * keys[at(c, d)]
      return score / Math.sqrt(headDim) + (c < prefixLength ? prefixBias : 0)
    })
    const highest = Math.max(...scores)
    const weights = scores.map((score) => Math.exp(score - highest))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    weights.forEach((weight, c) => {
      for (let d = 0; d < headDim; d++) y[head * headDim + d] += (weight / total) * values[at(c, d)]
    })
  }
  return y
}
