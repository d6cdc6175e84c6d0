/**
 * Embedding in float64: row r of the result is the table's row of `tokens[r]`.
 * @param table [tokens, width]
 */
export function embeddingReference(
  tokens: readonly number[],
  table: ArrayLike<number>,
  width: number,
): Float64Array {
  const y = new Float64Array(tokens.length * width)
  tokens.forEach((token, row) => {
    for (let i = 0; i < width; i++) y[row * width + i] = table[token * width + i]
  })
  return y
}
