import { checkArgument, listOf, number } from '../schema/index.js'

/** Losses that a smoothed curve looks back on, of a short training and of a long one. */
const WINDOW = { least: 3, most: 25, share: 1 / 20 } as const

const LOSSES = listOf(
  number(() => true, 'a number'),
  'a list of numbers',
)
const LENGTH = number((value) => value >= 0, 'a number from 0 up')

/**
 * The exponential mean of a curve of losses, for the eye; corrected for its start as Adam's moments are.
 * @param length losses of the whole training, which decide how smooth it is; default: those that there are
 */
export function smoothLosses(losses: readonly number[], length?: number): number[] {
  checkArgument('losses', LOSSES, losses)
  if (length !== undefined) checkArgument('length', LENGTH, length)
  const all = length ?? losses.length
  const weight = 1 - 1 / Math.min(WINDOW.most, Math.max(WINDOW.least, all * WINDOW.share))
  let mean = 0
  return losses.map((loss, index) => {
    mean = weight * mean + (1 - weight) * loss
    return mean / (1 - weight ** (index + 1))
  })
}
