import { BANNED_SCORE, GREEDY_TEMPERATURE, type SamplingOptions } from './parameters.js'

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
export function logProbabilityReference(logits: ArrayLike<number>, id: number): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i])
  let sum = 0
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - largest)
  return logits[id] - largest - Math.log(sum)
}

/** The id of the highest score, the lowest of tied ids; undefined where all are banned. */
export function greedyReference(scores: ArrayLike<number>): number | undefined {
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
export function candidatesReference(scores: ArrayLike<number>, options: SamplingOptions): Candidate[] {
  const { temperature = 1, topK = 0, topP = 1, minP = 0 } = options
  const best = greedyReference(scores)
  if (best === undefined) return []
  let kept = Array.from(scores, (score, id) => ({ id, score, weight: 0 })).filter(
    ({ score }) => score > BANNED_SCORE && (scores[best] - score) / temperature < MAX_DISTANCE,
  )
  for (const entry of kept) entry.weight = Math.exp((entry.score - scores[best]) / temperature)
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
export function drawReference(
  scores: ArrayLike<number>,
  options: SamplingOptions,
  seed: number,
  generated: number,
): { id: number; margin: number } | undefined {
  const { doSample = true, temperature = 1 } = options
  if (!doSample || temperature <= GREEDY_TEMPERATURE) {
    const id = greedyReference(scores)
    return id === undefined ? undefined : { id, margin: Number.POSITIVE_INFINITY }
  }
  let winner: number | undefined
  let first = Number.POSITIVE_INFINITY
  let second = Number.POSITIVE_INFINITY
  for (const { id, probability } of candidatesReference(scores, options)) {
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
