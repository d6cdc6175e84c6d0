import { BANNED_SCORE, type SamplingOptions } from '../sample/parameters.js'
import { PROMPT_FLAG } from './counts.js'

/**
 * Penalties and bias in float64, for one row.
 * @param logits [vocabulary]
 * @param counts [vocabulary], bit 31: occurs in the prompt, bits 0..30: how often generated
 * @param logitBias [vocabulary]
 */
export function penalizeReference(
  logits: ArrayLike<number>,
  counts: ArrayLike<number>,
  logitBias: ArrayLike<number>,
  { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 }: SamplingOptions,
): Float64Array {
  return Float64Array.from({ length: logits.length }, (_, id) => {
    if (logitBias[id] <= BANNED_SCORE) return BANNED_SCORE
    const generated = (counts[id] & ~PROMPT_FLAG) >>> 0
    let score = logits[id]
    if (counts[id] !== 0) score = score < 0 ? score * repetitionPenalty : score / repetitionPenalty
    if (generated > 0) score -= presencePenalty + frequencyPenalty * generated
    return Math.min(1e30, Math.max(-1e30, score + logitBias[id]))
  })
}
