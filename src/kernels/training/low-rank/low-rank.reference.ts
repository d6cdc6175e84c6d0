import { linearReference } from '../../common/linear.reference.js'

/** y[r, j] = scale * sum_i x[r, i] * w[j, i], in float64. @param width of a row of x */
export function lowRankDownReference(
  x: ArrayLike<number>,
  w: ArrayLike<number>,
  width: number,
  scale: number,
): Float64Array {
  return linearReference(x, w, width).map((value) => scale * value)
}

/** What is added to y[r, n]: sum_j x[r, j] * w[j, n], in float64. @param rank of a row of x */
export function lowRankUpReference(x: ArrayLike<number>, w: ArrayLike<number>, rank: number): Float64Array {
  const width = w.length / rank
  const transposed = Float64Array.from(
    { length: w.length },
    (_, i) => w[(i % rank) * width + Math.floor(i / rank)],
  )
  return linearReference(x, transposed, rank)
}
