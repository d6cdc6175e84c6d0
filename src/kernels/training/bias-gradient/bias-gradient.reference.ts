/**
 * Gradient of a bias that was added to all rows of y, in float64: db[i] = sum_r dy[r, i].
 * @param dy [rows, width]
 */
export function biasGradientReference(dy: ArrayLike<number>, width: number): Float64Array {
  const db = new Float64Array(width)
  for (let i = 0; i < dy.length; i++) db[i % width] += dy[i]
  return db
}
