import { BANNED_SCORE, type SamplingOptions } from '../sample/parameters.js'
import { PROMPT_FLAG } from './counts.js'

/**
 * Penalties, bias and mask in float64, for one row.
 * @param logits [vocabulary]
 * @param counts [vocabulary], bit 31: occurs in the prompt, bits 0..30: how often generated
 * @param logitBias [vocabulary]
 * @param mask u32 [vocabulary / 32], bit id % 32 of word id / 32: may come next
 */
export function penalizeReference(
  logits: ArrayLike<number>,
  counts: ArrayLike<number>,
  logitBias: ArrayLike<number>,
  { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 }: SamplingOptions,
  mask?: Uint32Array,
): Float64Array {
  return Float64Array.from({ length: logits.length }, (_, id) => {
    if (mask && ((mask[id >> 5] >>> (id & 31)) & 1) === 0) return BANNED_SCORE
    if (logitBias[id] <= BANNED_SCORE) return BANNED_SCORE
    const generated = (counts[id] & ~PROMPT_FLAG) >>> 0
    let score = logits[id]
    if (counts[id] !== 0) score = score < 0 ? score * repetitionPenalty : score / repetitionPenalty
    if (generated > 0) score -= presencePenalty + frequencyPenalty * generated
    return Math.min(1e30, Math.max(-1e30, score + logitBias[id]))
  })
}
