import { PROMPT_FLAG } from '../penalize/counts.js'
import { BANNED_SCORE, type SamplingOptions } from '../sample/parameters.js'

/**
 * Penalties, bias and mask in float64, for one row.
 * @param logits [vocabulary]
 * @param counts [vocabulary], bit 31: occurs in the prompt, bits 0..30: how often generated
 * @param logitBias [vocabulary]
 * @param mask u32 [vocabulary / 32], bit id % 32 of word id / 32: may come next
 */
export function penalize(
  logits: ArrayLike<number>,
  counts: ArrayLike<number>,
  logitBias: ArrayLike<number>,
  { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 }: SamplingOptions,
  mask?: Uint32Array,
): Float64Array {
  const scores = new Float64Array(logits.length)
  for (let id = 0; id < scores.length; id++) {
    const isMasked = mask && ((mask[id >> 5] >>> (id & 31)) & 1) === 0
    if (isMasked || logitBias[id] <= BANNED_SCORE) {
      scores[id] = BANNED_SCORE
      continue
    }
    const generated = (counts[id] & ~PROMPT_FLAG) >>> 0
    let score = logits[id]
    if (counts[id] !== 0) score = score < 0 ? score * repetitionPenalty : score / repetitionPenalty
    if (generated > 0) score -= presencePenalty + frequencyPenalty * generated
    scores[id] = Math.min(1e30, Math.max(-1e30, score + logitBias[id]))
  }
  return scores
}
