/**
 * Gradient of an embedding table in float64: dw[token, i] = sum of dx[r, i] over the rows r with ids[r] = token.
 * @param ids the token of each row
 * @param dx [ids.length, width]
 * @returns [tokens, width]
 */
export function embeddingGradientReference(
  ids: readonly number[],
  dx: ArrayLike<number>,
  tokens: number,
  width: number,
): Float64Array {
  const dw = new Float64Array(tokens * width)
  ids.forEach((token, r) => {
    for (let i = 0; i < width; i++) dw[token * width + i] += dx[r * width + i]
  })
  return dw
}
