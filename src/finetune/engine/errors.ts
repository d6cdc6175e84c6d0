/** A sequence cannot be trained on: too long, no targets, or ids that the model does not have. */
export class TrainingSampleError extends Error {
  override readonly name = 'TrainingSampleError'
}

/** A loss or the norm of a gradient is NaN or infinite: the training has diverged. */
export class NonFiniteLossError extends Error {
  override readonly name = 'NonFiniteLossError'
  constructor(what: 'loss' | 'gradient norm', value: number) {
    super(`The ${what} is ${value}: the training has diverged. Begin anew with a lower learning rate.`)
  }
}

/** A model whose weights cannot all be trained: it is quantized, or too large for the GPU. */
export class UntrainableModelError extends Error {
  override readonly name = 'UntrainableModelError'
}

/** Saved parameters do not fit those that are trained. */
export class TrainingStateError extends Error {
  override readonly name = 'TrainingStateError'
}
