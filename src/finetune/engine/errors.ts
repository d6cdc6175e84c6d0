import { TrainingError } from '../../errors/index.js'

/** A loss or the norm of a gradient is NaN or infinite: the training has diverged. */
export function diverged(what: 'loss' | 'gradient norm', value: number) {
  return new TrainingError(
    'training.diverged',
    `The ${what} is ${value}: the training has diverged. Begin anew with a lower learning rate.`,
  )
}
