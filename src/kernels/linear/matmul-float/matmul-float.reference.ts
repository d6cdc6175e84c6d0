/** A matrix or the transpose of one: element (row, depth) of it. */
export type MatrixElement = (row: number, depth: number) => number

/**
 * Matrix product in float64: y[m, n] = sum_k a(m, k) * b(n, k) + bias[n].
 * @returns [rows, outputs]
 */
export function matmulFloatReference(
  { rows, outputs, depth }: { rows: number; outputs: number; depth: number },
  a: MatrixElement,
  b: MatrixElement,
  bias?: ArrayLike<number>,
): Float64Array {
  const y = new Float64Array(rows * outputs)
  for (let m = 0; m < rows; m++) {
    for (let n = 0; n < outputs; n++) {
      let sum = bias?.[n] ?? 0
      for (let k = 0; k < depth; k++) sum += a(m, k) * b(n, k)
      y[m * outputs + n] = sum
    }
  }
  return y
}
