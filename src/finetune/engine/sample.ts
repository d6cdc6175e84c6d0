import type { TrainingSample } from '../../data/index.js'
import { TrainingError } from '../../errors/index.js'

/** The label of a token that is no target. */
export const IGNORED_LABEL = -100

/** The rows whose logits count, and what they should predict. */
export interface Targets {
  readonly rows: readonly number[]
  readonly ids: readonly number[]
}

function isId(id: number, vocabulary: number): boolean {
  return Number.isSafeInteger(id) && id >= 0 && id < vocabulary
}

/**
 * The targets of a sequence: the logits of row i predict label i + 1.
 * @throws `training.sample-invalid` where it is too short or too long, has ids outside the vocabulary, or no targets
 */
export function targetsOf({ ids, labels }: TrainingSample, vocabulary: number, maxTokens: number): Targets {
  if (ids.length !== labels.length) {
    throw new TrainingError(
      'training.sample-invalid',
      `The sample has ${ids.length} ids but ${labels.length} labels; give one each.`,
    )
  }
  if (ids.length < 2 || ids.length > maxTokens) {
    throw new TrainingError(
      'training.sample-invalid',
      `The sample has ${ids.length} tokens; this training was set up for 2 to ${maxTokens}. ` +
        'Cut it off, or set a larger maxSequenceLength.',
    )
  }
  ids.forEach((id, index) => {
    if (!isId(id, vocabulary)) {
      throw new TrainingError(
        'training.sample-invalid',
        `Token ${index} of the sample is ${id}; ids go from 0 to ${vocabulary - 1}.`,
      )
    }
  })
  const rows: number[] = []
  const targets: number[] = []
  for (let index = 1; index < labels.length; index++) {
    const label = labels[index]
    if (label === IGNORED_LABEL) continue
    if (!isId(label, vocabulary)) {
      throw new TrainingError(
        'training.sample-invalid',
        `Label ${index} of the sample is ${label}; labels are ids from 0 to ${vocabulary - 1}, or ${IGNORED_LABEL}.`,
      )
    }
    rows.push(index - 1)
    targets.push(label)
  }
  if (rows.length === 0) {
    throw new TrainingError(
      'training.sample-invalid',
      `All labels of the sample from the second on are ${IGNORED_LABEL}: there is nothing to learn. Leave it out.`,
    )
  }
  return { rows, ids: targets }
}
