import type { TrainingAttentionConstants } from '../../common/training-attention.js'

/** Indices into the buffers of attention in training, and which group a head reads. */
export function trainingLayout(constants: TrainingAttentionConstants) {
  const { heads, kvGroups, headDim, prefixLength, prefixStride } = constants
  const qkvWidth = (heads + 2 * kvGroups) * headDim
  /** Of key or value row c: in the prefix, or in qkv. */
  const at = (slab: 0 | 1, c: number, group: number, d: number) =>
    c < prefixLength
      ? { inPrefix: true, index: c * prefixStride + (slab * kvGroups + group) * headDim + d }
      : {
          inPrefix: false,
          index: (c - prefixLength) * qkvWidth + (heads + slab * kvGroups + group) * headDim + d,
        }
  return {
    qkvWidth,
    query: (row: number, head: number, d: number) => row * qkvWidth + head * headDim + d,
    key: (c: number, group: number, d: number) => at(0, c, group, d),
    value: (c: number, group: number, d: number) => at(1, c, group, d),
    group: (head: number) => Math.floor((head * kvGroups) / heads),
  }
}

/**
 * Attention of sequences behind a prefix in float64: y = softmax(q k^T / sqrt(headDim)) v, where row r sees the prefix and
 * the rows of its sequence up to r; and the logarithms of the sums of exponentials of its scores.
 * @param qkv [rows, (heads + 2 kvGroups) * headDim], after RoPE
 * @param prefix [prefixLength, prefixStride]
 * @param lengths rows of each sequence; one sequence where they are left out
 * @returns with the weights of each row and head, [prefixLength + row + 1], 0 for what it does not see
 */
export function attentionTrainingReference(
  qkv: ArrayLike<number>,
  prefix: ArrayLike<number>,
  constants: TrainingAttentionConstants,
  rows: number,
  lengths: readonly number[] = [rows],
): { y: Float64Array; logSumExp: Float64Array; weights: Float64Array[] } {
  const { heads, headDim, prefixLength } = constants
  const layout = trainingLayout(constants)
  const read = ({ inPrefix, index }: { inPrefix: boolean; index: number }) => (inPrefix ? prefix : qkv)[index]
  const y = new Float64Array(rows * heads * headDim)
  const logSumExp = new Float64Array(rows * heads)
  const weights: Float64Array[] = []
  const begins = lengths.flatMap((length, i) => {
    const begin = lengths.slice(0, i).reduce((sum, before) => sum + before, 0)
    return new Array<number>(length).fill(begin)
  })
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const group = layout.group(head)
      const scores = Float64Array.from({ length: prefixLength + row + 1 }, (_, c) => {
        if (c >= prefixLength && c < prefixLength + begins[row]) return Number.NEGATIVE_INFINITY
        let score = 0
        for (let d = 0; d < headDim; d++)
          score += qkv[layout.query(row, head, d)] * read(layout.key(c, group, d))
        return score / Math.sqrt(headDim)
      })
      const highest = Math.max(...scores)
      const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0)
      const line = row * heads + head
      logSumExp[line] = highest + Math.log(total)
      weights[line] = scores.map((score) => Math.exp(score - logSumExp[line]))
      weights[line].forEach((weight, c) => {
        for (let d = 0; d < headDim; d++) y[line * headDim + d] += weight * read(layout.value(c, group, d))
      })
    }
  }
  return { y, logSumExp, weights }
}
