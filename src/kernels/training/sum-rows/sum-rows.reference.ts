/**
 * Sum of the rows of a matrix in float64: y[i] = sum_r x[r, i].
 * @param x [any, width]
 */
export function sumRowsReference(x: ArrayLike<number>, width: number): Float64Array {
  const y = new Float64Array(width)
  for (let i = 0; i < x.length; i++) y[i % width] += x[i]
  return y
}
