import type { GenerateOptions } from '../runtime/generate/index.js'
import type { Target } from './catalog.js'
import type { GenerationFields } from './requests/fields.js'

/** A share so small that the likeliest token alone has it: what clients mean by a `top_p` of 0. */
const LIKELIEST = 1e-6

/**
 * A request's fields as the library calls them.
 * @param choice which of the answers to one prompt: each has a seed of its own
 */
export function generationOptions(
  fields: GenerationFields,
  { served, strength }: Target,
  maxTokens: number | undefined,
  choice: number,
  signal: AbortSignal,
): GenerateOptions {
  const { temperature, top_p, top_k, min_p, presence_penalty, frequency_penalty, repetition_penalty } = fields
  const { logit_bias, seed, stop, ignore_eos: ignoresEnds = false } = fields
  return {
    temperature,
    topP: top_p === undefined ? undefined : Math.max(top_p, LIKELIEST),
    topK: top_k === undefined ? undefined : Math.max(top_k, 0),
    minP: min_p,
    presencePenalty: presence_penalty,
    frequencyPenalty: frequency_penalty,
    repetitionPenalty: repetition_penalty,
    logitBias: logit_bias as Readonly<Record<number, number>> | undefined,
    seed: seed === undefined ? undefined : seed + choice,
    stop: typeof stop === 'string' ? [stop] : stop,
    stopIds: ignoresEnds ? [] : undefined,
    maxTokens,
    prefix: served?.prefix,
    prefixStrength: strength,
    signal,
  }
}
