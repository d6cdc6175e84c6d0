/** Losses that a smoothed curve looks back on, of a short training and of a long one. */
const WINDOW = { least: 3, most: 25, share: 1 / 20 } as const

/**
 * The exponential mean of a curve of losses, for the eye; corrected for its start as Adam's moments are.
 * @param length losses of the whole training, which decide how smooth it is; default: those that there are
 */
export function smoothLosses(losses: readonly number[], length = losses.length): number[] {
  const weight = 1 - 1 / Math.min(WINDOW.most, Math.max(WINDOW.least, length * WINDOW.share))
  let mean = 0
  return losses.map((loss, index) => {
    mean = weight * mean + (1 - weight) * loss
    return mean / (1 - weight ** (index + 1))
  })
}
