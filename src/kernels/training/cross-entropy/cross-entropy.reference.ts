/**
 * Cross entropy of rows of logits in float64, and the gradient of the sum of the losses:
 * loss[r] = log(sum_v exp(x[r, v])) - x[r, targets[r]], dx[r, v] = softmax(x[r])[v] - (v == targets[r] ? 1 : 0).
 * @param x [targets.length, vocabulary]
 */
export function crossEntropyReference(
  x: ArrayLike<number>,
  targets: readonly number[],
): { losses: Float64Array; dx: Float64Array } {
  const vocabulary = x.length / targets.length
  const losses = new Float64Array(targets.length)
  const dx = new Float64Array(x.length)
  targets.forEach((target, row) => {
    const logits = Float64Array.from({ length: vocabulary }, (_, v) => x[row * vocabulary + v])
    const largest = logits.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
    const total = logits.reduce((sum, value) => sum + Math.exp(value - largest), 0)
    losses[row] = Math.log(total) + largest - logits[target]
    logits.forEach((value, v) => {
      dx[row * vocabulary + v] = Math.exp(value - largest) / total - (v === target ? 1 : 0)
    })
  })
  return { losses, dx }
}
