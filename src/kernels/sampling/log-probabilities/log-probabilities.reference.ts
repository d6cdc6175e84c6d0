import { logProbabilityReference } from '../sample/sample.reference.js'
import type { LikelyId } from './log-probabilities.js'

/** The likeliest ids of a row of logits with their log-probabilities, in float64; the lower of tied ids first. */
export function likeliestReference(logits: ArrayLike<number>, count: number): LikelyId[] {
  const ids = Array.from(logits, (_, id) => id)
  ids.sort((a, b) => logits[b] - logits[a] || a - b)
  return ids.slice(0, count).map((id) => ({ id, logProbability: logProbabilityReference(logits, id) }))
}
