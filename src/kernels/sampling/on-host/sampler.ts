import type { LikelyId } from '../log-probabilities/log-probabilities.js'
import { countWords, logitBiasFloats } from '../penalize/counts.js'
import { BANNED_SCORE, type SamplingOptions } from '../sample/parameters.js'
import type { SampledId } from '../sample/sequence.js'
import { bannedIds } from './banned-ids.js'
import { draw, logProbability } from './draw.js'
import { penalize } from './penalize.js'

/** How a sequence samples. */
export interface HostSamplerOptions extends SamplingOptions {
  readonly seed: number
  /** Added to the logits of single ids; minus infinity bans one. */
  readonly logitBias: Iterable<readonly [id: number, bias: number]>
  /** Sequences of ids that must not be completed. */
  readonly bannedIds: readonly (readonly number[])[]
  readonly stopIds: readonly number[]
  /** How many of the likeliest ids to tell. */
  readonly likeliest: number
}

/** Draws the ids of one sequence from rows of logits on the host, by the rules and with the random numbers of the GPU's sampler. */
export class HostSampler {
  readonly #options: HostSamplerOptions
  readonly #counts: Uint32Array
  readonly #logitBias: Float32Array
  readonly #generated: number[] = []
  readonly #idsLimit: number

  /**
   * @param prompt ids that count as used for the repetition penalty
   * @param idsLimit ids that the sequence can generate
   * @throws `option.kernel-argument` for ids outside the vocabulary
   */
  constructor(prompt: readonly number[], vocabulary: number, idsLimit: number, options: HostSamplerOptions) {
    this.#options = options
    this.#counts = countWords(prompt, [], vocabulary)
    const single = options.bannedIds.filter((ids) => ids.length === 1)
    const bans = single.map(([id]) => [id, Number.NEGATIVE_INFINITY] as const)
    this.#logitBias = logitBiasFloats([...options.logitBias, ...bans], vocabulary)
    this.#idsLimit = idsLimit
  }

  /**
   * Draws the next id.
   * @param logits f32 [vocabulary]
   * @param mask of ids that may come next: see `penalize`
   */
  next(logits: Float32Array, mask?: Uint32Array): SampledId {
    const { bannedIds: sequences, seed, stopIds, likeliest } = this.#options
    const generated = this.#generated
    const none = { id: undefined, logProbability: 0, finished: true, generated: generated.length }
    if (!logits.every(Number.isFinite)) return { ...none, notFinite: true, allBanned: false }
    const scores = penalize(logits, this.#counts, this.#logitBias, this.#options, mask)
    for (const id of bannedIds(generated, sequences)) scores[id] = BANNED_SCORE
    const drawn = draw(scores, this.#options, seed >>> 0, generated.length)
    if (!drawn) return { ...none, notFinite: false, allBanned: true }
    const { id } = drawn
    generated.push(id)
    this.#counts[id]++
    return {
      id,
      logProbability: logProbability(logits, id),
      finished: stopIds.includes(id) || generated.length >= this.#idsLimit,
      notFinite: false,
      allBanned: false,
      generated: generated.length,
      ...(likeliest > 0 && { likeliest: likeliestIds(logits, likeliest) }),
    }
  }
}

/** The likeliest ids of a row of logits with their log-probabilities; the lower of tied ids first. */
export function likeliestIds(logits: Float32Array, count: number): LikelyId[] {
  const ids: number[] = []
  for (let id = 0; id < logits.length; id++) {
    let at = ids.length
    while (at > 0 && logits[ids[at - 1]] < logits[id]) at--
    if (at < count) ids.splice(at, 0, id)
    if (ids.length > count) ids.pop()
  }
  return ids.map((id) => ({ id, logProbability: logProbability(logits, id) }))
}
