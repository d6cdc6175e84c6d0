/**
 * The choice of an id from a row of scores, in float64: the definition of what the GPU's sampler does, which is tested against
 * it, and what engines do whose logits come to the host.
 */
import { BANNED_SCORE, GREEDY_TEMPERATURE, type SamplingOptions } from '../sample/parameters.js'

/** Ids this many nats below the best, after temperature, are never drawn. */
const MAX_DISTANCE = 22

/** The hash that random numbers are made of: pcg3d (Jarzynski and Olano, JCGT 9(3), 2020), its first word. */
export function randomBits(seed: number, generated: number, id: number): number {
  let [x, y, z] = [seed, generated, id].map((word) => (Math.imul(word, 1664525) + 1013904223) >>> 0)
  const mix = () => {
    x = (x + Math.imul(y, z)) >>> 0
    y = (y + Math.imul(z, x)) >>> 0
    z = (z + Math.imul(x, y)) >>> 0
  }
  mix()
  x ^= x >>> 16
  y ^= y >>> 16
  z ^= z >>> 16
  mix()
  return x
}

/** log softmax of a row of logits at one id, in nats. */
export function logProbability(logits: ArrayLike<number>, id: number): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i])
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - largest)
  return logits[id] - largest - Math.log(sum)
}

/** The id of the highest score, the lowest of tied ids; undefined where all are banned. */
export function greedy(scores: ArrayLike<number>): number | undefined {
  let best: number | undefined
  for (let id = 0; id < scores.length; id++) {
    if (scores[id] > (best === undefined ? BANNED_SCORE : scores[best])) best = id
  }
  return best
}

export interface Candidate {
  readonly id: number
  /** Among the candidates. */
  readonly probability: number
}

/** The ids that can be drawn, best first, in the order of Hugging Face: temperature, top-k, top-p, min-p. */
export function candidates(scores: ArrayLike<number>, options: SamplingOptions): Candidate[] {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = options
  const best = greedy(scores)
  if (best === undefined) return []
  let kept: { id: number; score: number; weight: number }[] = []
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id]
    const distance = (scores[best] - score) / temperature
    if (score > BANNED_SCORE && distance < MAX_DISTANCE) kept.push({ id, score, weight: Math.exp(-distance) })
  }
  kept.sort((a, b) => b.score - a.score || a.id - b.id)
  if (topK > 0 && topK < kept.length) {
    const threshold = kept[topK - 1].score
    kept = kept.filter(({ score }) => score >= threshold)
  }
  if (topP < 1) {
    const total = kept.reduce((sum, { weight }) => sum + weight, 0)
    let sum = 0
    const last = kept.find(({ weight }) => {
      sum += weight
      return sum >= topP * total
    })
    kept = kept.filter(({ score }) => score >= last!.score)
  }
  kept = kept.filter(({ weight }) => weight >= minP)
  const total = kept.reduce((sum, { weight }) => sum + weight, 0)
  return kept.map(({ id, weight }) => ({ id, probability: weight / total }))
}

/**
 * The id drawn from a row of scores by the race of exponentially distributed arrivals, and how clear the result is:
 * the time of the second arrival over that of the first. Undefined where all ids are banned.
 */
export function draw(
  scores: ArrayLike<number>,
  options: SamplingOptions,
  seed: number,
  generated: number,
): { id: number; margin: number } | undefined {
  const { doSample = true, temperature = 1 } = options
  if (!doSample || temperature <= GREEDY_TEMPERATURE) {
    const id = greedy(scores)
    return id === undefined ? undefined : { id, margin: Number.POSITIVE_INFINITY }
  }
  let winner: number | undefined
  let first = Number.POSITIVE_INFINITY
  let second = Number.POSITIVE_INFINITY
  for (const { id, probability } of candidates(scores, options)) {
    const uniform = (randomBits(seed, generated, id) + 0.5) / 2 ** 32
    const time = -Math.log1p(-uniform) / probability
    second = Math.min(second, Math.max(time, first))
    if (time < first) {
      first = time
      winner = id
    }
  }
  return winner === undefined ? undefined : { id: winner, margin: second / first }
}
