/**
 * Rows of a matrix: y[r, i] = x[index[r], i].
 * @param x [any, width]
 */
export function gatherRowsReference(
  x: ArrayLike<number>,
  index: readonly number[],
  width: number,
): Float64Array {
  return Float64Array.from(
    index.flatMap((row) => Array.from({ length: width }, (_, i) => x[row * width + i])),
  )
}
