import { describe, expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { MAX_STOP_IDS, type SamplingOptions, samplingParameterWords } from './parameters.js'
import { compileSample } from './sample.js'
import { candidatesReference, drawReference, logProbabilityReference } from './sample.reference.js'
import type { SampledId } from './sequence.js'
import { startSampling } from './testing.js'

const count = (length: number) => Array.from({ length }, (_, i) => i)
const row = <T extends Float32Array>(values: T, vocabulary: number, index: number) =>
  values.subarray(index * vocabulary, (index + 1) * vocabulary)
const ids = (sampled: readonly SampledId[]) => sampled.map(({ id }) => id)

/** The same row for every seed. */
function repeated(scores: readonly number[], rows: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * scores.length }, (_, i) => scores[i % scores.length])
}

/** The 99.9th percentile of chi-square (Wilson and Hilferty's approximation). */
function chiSquareLimit(degrees: number): number {
  return degrees * (1 - 2 / (9 * degrees) + 3.09 * Math.sqrt(2 / (9 * degrees))) ** 3
}

/**
 * Asserts that ids were drawn with these probabilities, by a chi-square test; ids too rare for it are taken together.
 */
function expectFrequencies(
  sampled: readonly number[],
  probabilities: readonly (readonly [id: number, probability: number])[],
): void {
  let chiSquare = 0
  let bins = 0
  const add = (observed: number, expected: number) => {
    chiSquare += (observed - expected) ** 2 / expected
    bins++
  }
  let rareObserved = 0
  let rareExpected = 0
  for (const [id, probability] of probabilities) {
    const observed = sampled.filter((other) => other === id).length
    const expected = probability * sampled.length
    if (expected >= 5) {
      add(observed, expected)
    } else {
      rareObserved += observed
      rareExpected += expected
    }
  }
  if (rareExpected >= 1) add(rareObserved, rareExpected)
  if (bins > 1) expect(chiSquare).toBeLessThan(chiSquareLimit(bins - 1))
}

describeOnGpu('the sampler', (test) => {
  describe('for a vocabulary of 37', () => {
    const VOCABULARY = 37
    const ROWS = 96
    // Two ties at the top, three in the middle; the rest apart by more than rounding can move.
    const SCORES = count(VOCABULARY).map((id) => Math.sin(id * 7.3) * 3)
    SCORES[11] = SCORES[29] = 3.2
    SCORES[3] = SCORES[17] = SCORES[36] = 1.5

    const seeds = count(ROWS).map((i) => i * 977 + 5)
    const draw = async (scores: readonly number[], options: SamplingOptions, steps = 1) => {
      const logits = repeated(scores, ROWS)
      const run = await startSampling(test(), { logits, vocabulary: VOCABULARY, options, seeds })
      const sampled: SampledId[][] = []
      for (let step = 0; step < steps; step++) sampled.push(await run.next())
      return sampled
    }

    it('takes the best id when greedy, the lowest of tied ones', async () => {
      for (const options of [{ doSample: false }, { temperature: 0 }, { temperature: 1e-5, topK: 3 }]) {
        const [sampled] = await draw(SCORES, options)
        expect(new Set(ids(sampled))).toEqual(new Set([11]))
      }
    })

    it('takes the lowest id where all are equal, zeros of both signs included', async () => {
      const [sampled] = await draw(
        SCORES.map((_, id) => (id % 2 ? 0 : -0)),
        { doSample: false },
      )
      expect(new Set(ids(sampled))).toEqual(new Set([0]))
    })

    for (const [name, options] of Object.entries({
      'no restriction': {},
      'a low temperature': { temperature: 0.3 },
      'a high temperature': { temperature: 50 },
      'top-k': { topK: 6 },
      'top-k at a tie, all of which stay': { topK: 1 },
      'top-k of more than the vocabulary': { topK: 100 },
      'top-p': { topP: 0.55 },
      'a tiny top-p, which keeps the best and its ties': { topP: 1e-6 },
      'a top-p of zero': { topP: 0 },
      'a top-p that ends within a tie': { topP: 0.7 },
      'top-p of nearly all': { topP: 0.999 },
      'min-p': { minP: 0.11 },
      'a min-p of one, which keeps the best and its ties': { minP: 1 },
      'temperature, top-k, top-p and min-p': { temperature: 1.4, topK: 20, topP: 0.85, minP: 0.05 },
      'a high temperature with top-k': { temperature: 1e5, topK: 5 },
    } satisfies Record<string, SamplingOptions>)) {
      it(`draws from the reference's set with its probabilities under ${name}`, async () => {
        const candidates = candidatesReference(Float32Array.from(SCORES), options)
        const sampled = (await draw(SCORES, options, 3)).flatMap(ids) as number[]
        const probabilities = candidates.map(({ id, probability }) => [id, probability] as const)
        const allowed = new Set(candidates.map(({ id }) => id))
        expect(sampled.filter((id) => !allowed.has(id))).toEqual([])
        // Whatever is likely enough to be sure to come up in 288 draws must come up.
        const missing = candidates.filter(
          ({ id, probability }) => probability > 0.02 && !sampled.includes(id),
        )
        expect(missing).toEqual([])
        expectFrequencies(sampled, probabilities)
      })
    }

    it('draws each id equally often where all are equal', async () => {
      const flat = SCORES.map(() => -2.5)
      const sampled = (await draw(flat, { topK: 3, topP: 0.5 }, 4)).flatMap(ids) as number[]
      const probabilities = count(VOCABULARY).map((id) => [id, 1 / VOCABULARY] as const)
      expectFrequencies(sampled, probabilities)
    })

    it('always draws an id that is likelier than all others together by far', async () => {
      const dominated = SCORES.map((score, id) => (id === 23 ? 40 : score))
      const [sampled] = await draw(dominated, { topK: 10, topP: 0.9 })
      expect(new Set(ids(sampled))).toEqual(new Set([23]))
      expect(Math.max(...sampled.map(({ logProbability }) => Math.abs(logProbability)))).toBeLessThan(1e-6)
    })

    it('draws the only id that is not banned', async () => {
      const logitBias = Float32Array.from(SCORES, (_, id) => (id === 31 ? 0 : -3.4e38))
      for (const options of [{ doSample: false }, {}, { topK: 4, topP: 0.3 }]) {
        const run = await startSampling(test(), {
          logits: repeated(SCORES, ROWS),
          vocabulary: VOCABULARY,
          options,
          seeds,
          logitBias,
        })
        expect(new Set(ids(await run.next()))).toEqual(new Set([31]))
      }
    })

    it('moves on from ids it has given out where they are penalised', async () => {
      const order = count(VOCABULARY).sort((a, b) => SCORES[b] - SCORES[a] || a - b)
      const lines = await draw(SCORES, { doSample: false, presencePenalty: 100 }, 5)
      expect(lines.map(([{ id }]) => id)).toEqual(order.slice(0, 5))
    })

    it('draws anew in every step and for every seed, and the same again for the same seed', async () => {
      const sequences = (sampled: SampledId[][]) =>
        count(ROWS).map((r) => sampled.map((line) => line[r].id).join())
      const flat = SCORES.map(() => 0)
      const first = sequences(await draw(flat, {}, 6))
      expect(new Set(first).size).toBe(ROWS)
      expect(sequences(await draw(flat, {}, 6))).toEqual(first)
      for (const r of [0, 1]) expect(new Set(first[r].split(',')).size).toBeGreaterThan(2)
    })

    it('draws from neighbouring ids, steps and seeds without correlation', async () => {
      // Pairs of successive draws from three ids, per row: nine pairs, equally likely.
      const three = SCORES.map((_, id) => (id < 3 ? 0 : -40))
      const lines = (await draw(three, {}, 6)).map((line) => ids(line) as number[])
      const pairs = lines.slice(1).flatMap((line, step) => line.map((id, r) => lines[step][r] * 3 + id))
      const neighbours = lines.flatMap((line) => line.slice(1).map((id, r) => line[r] * 3 + id))
      const probabilities = count(9).map((pair) => [pair, 1 / 9] as const)
      expectFrequencies(pairs, probabilities)
      expectFrequencies(neighbours, probabilities)
    })
  })

  describe('for a vocabulary of 1500', () => {
    const VOCABULARY = 1500
    const ROWS = 16
    const seeds = count(ROWS)
    const setUp = (options: SamplingOptions, deviation = 3) => {
      const logits = randomNormal(ROWS * VOCABULARY, 11, deviation)
      return { logits, vocabulary: VOCABULARY, options, seeds }
    }

    for (const [name, options, deviation] of [
      ['greedy', { doSample: false }, 3],
      ['nothing restricted', {}, 3],
      ["the official demo's settings", { temperature: 0.8, topK: 50, topP: 0.8 }, 3],
      ['more candidates than can be listed', { topK: 700, topP: 0.95 }, 3],
      ['a flat distribution', { topP: 0.9 }, 0.01],
      ['a temperature near greedy', { temperature: 0.01, topP: 0.9 }, 3],
      ['a temperature that makes all equal', { temperature: 1e6, topK: 200, topP: 0.5 }, 3],
      ['scores that differ widely', { temperature: 20, topK: 600, minP: 1e-4 }, 300],
    ] as const satisfies readonly (readonly [string, SamplingOptions, number])[]) {
      it(`gives the reference's ids and log probabilities with ${name}`, async () => {
        const run = setUp(options, deviation)
        const sampled = await (await startSampling(test(), run)).next()
        const expected = seeds.map(
          (seed) => drawReference(row(run.logits, VOCABULARY, seed), options, seed, 0)!,
        )
        // Where two ids arrive at nearly the same time, rounding decides.
        const clear = seeds.filter((r) => expected[r].margin > 1 + 1e-4)
        expect(clear.length).toBeGreaterThan(ROWS - 4)
        expect(clear.map((r) => sampled[r].id)).toEqual(clear.map((r) => expected[r].id))
        expectClose(
          sampled.map(({ logProbability }) => logProbability),
          sampled.map(({ id }, r) => logProbabilityReference(row(run.logits, VOCABULARY, r), id!)),
          1e-6,
        )
      })
    }

    it('gives every row the same ids in whatever place of the batch', async () => {
      const run = setUp({ topP: 0.9 })
      const forward = await (await startSampling(test(), run)).next()
      const reversed = new Float32Array(run.logits.length)
      for (const r of seeds) reversed.set(row(run.logits, VOCABULARY, r), (ROWS - 1 - r) * VOCABULARY)
      const backward = await (
        await startSampling(test(), { ...run, logits: reversed, seeds: seeds.toReversed() })
      ).next()
      expect(ids(backward.toReversed())).toEqual(ids(forward))
    })

    it('fails a row whose logits hold a NaN or an infinity, and no other', async () => {
      for (const options of [{ doSample: false }, { topK: 5, topP: 0.9 }]) {
        const run = setUp(options)
        run.logits[2 * VOCABULARY + 1499] = Number.NaN
        run.logits[3 * VOCABULARY] = Number.POSITIVE_INFINITY
        run.logits[5 * VOCABULARY + 700] = Number.NEGATIVE_INFINITY
        const sampling = await startSampling(test(), run)
        const sampled = await sampling.next()
        const failed = seeds.filter((r) => sampled[r].notFinite)
        expect(failed).toEqual([2, 3, 5])
        expect(seeds.filter((r) => sampled[r].finished)).toEqual(failed)
        expect(seeds.filter((r) => sampled[r].id === undefined)).toEqual(failed)
        expect(await sampling.row(2)).toEqual([1002, 13, 7, 3])
        expect((await sampling.next())[2]).toMatchObject({ id: undefined, finished: true, notFinite: true })
        expect((await sampling.generated()).slice(0, 6)).toEqual([2, 2, 0, 0, 2, 0])
      }
    })
  })

  describe('over many steps', () => {
    const VOCABULARY = 1
    const steps = async (
      options: SamplingOptions,
      extra: { logitBias?: Float32Array<ArrayBuffer>; positionLimit?: number } = {},
    ) =>
      startSampling(test(), {
        logits: Float32Array.of(-3),
        vocabulary: VOCABULARY,
        options,
        seeds: [1],
        historyCapacity: 4,
        ...extra,
      })

    it('advances token, position, counts and history', async () => {
      const run = await steps({ topK: 2, topP: 0.5 })
      for (let step = 0; step < 8; step++) {
        expect(await run.next()).toEqual([
          {
            id: 0,
            logProbability: 0,
            finished: false,
            notFinite: false,
            allBanned: false,
            generated: step + 1,
          },
        ])
        expect(await run.row(0)).toEqual([0, 0, 8 + step, 3])
      }
      expect(await run.counts()).toEqual([8])
      expect(await run.history()).toEqual([0, 0, 0, 0])
      expect(await run.generated()).toEqual([8])
    })

    it('gives out a stop id, and then nothing', async () => {
      const run = await steps({ stopIds: [...count(MAX_STOP_IDS - 1).map((i) => i + 1), 0] })
      expect(await run.next()).toMatchObject([{ id: 0, finished: true, generated: 1 }])
      for (let step = 0; step < 4; step++) {
        expect(await run.next()).toMatchObject([{ id: undefined, finished: true, generated: 1 }])
      }
      expect(await run.row(0)).toEqual([1000, 0, 7, 3])
      expect(await run.counts()).toEqual([1])
      expect(await run.generated()).toEqual([1])
    })

    it('finishes with the id that has no position left', async () => {
      const run = await steps({}, { positionLimit: 9 })
      expect(await run.next()).toMatchObject([{ id: 0, finished: false }])
      expect(await run.next()).toMatchObject([{ id: 0, finished: true }])
      expect(await run.next()).toMatchObject([{ id: undefined, finished: true }])
      expect(await run.row(0)).toEqual([0, 0, 8, 3])
      expect(await run.counts()).toEqual([2])
    })

    it('fails where every id is banned', async () => {
      for (const options of [{ doSample: false }, { topP: 0.5 }]) {
        const run = await steps(options, { logitBias: Float32Array.of(-3.4e38) })
        expect(await run.next()).toMatchObject([{ id: undefined, finished: true, allBanned: true }])
        expect(await run.row(0)).toEqual([1000, 0, 7, 3])
        expect(await run.counts()).toEqual([0])
      }
    })
  })

  it('rejects sizes it cannot work with', async () => {
    const { gpu } = test()
    const sizes = { vocabulary: 10, historyCapacity: 1 }
    await expect(compileSample(gpu, { ...sizes, vocabulary: 65_536 })).rejects.toThrow('vocabulary 65536')
    await expect(compileSample(gpu, { ...sizes, historyCapacity: 0 })).rejects.toThrow('at least 1')
  })
})

describe('the reference of sampling', () => {
  const candidateIds = (scores: readonly number[], options: SamplingOptions) =>
    candidatesReference(scores, options).map(({ id }) => id)

  it('keeps ties at the end of top-k and top-p', () => {
    expect(candidateIds([1, 5, 5, 2], { topK: 3 })).toEqual([1, 2, 3])
    expect(candidateIds([1, 5, 5, 2], { topK: 1 })).toEqual([1, 2])
    expect(candidateIds([1, 5, 5, 2], { topP: 0.1 })).toEqual([1, 2])
  })

  it('takes the probabilities of top-p within top-k, and those of min-p relative to the best', () => {
    const scores = [0.4, 0.3, 0.2, 0.1].map(Math.log)
    expect(candidateIds(scores, { topP: 0.69 })).toEqual([0, 1])
    expect(candidateIds(scores, { topP: 0.71 })).toEqual([0, 1, 2])
    expect(candidateIds(scores, { topK: 2, topP: 0.56 })).toEqual([0])
    expect(candidateIds(scores, { topK: 2, topP: 0.58 })).toEqual([0, 1])
    expect(candidateIds(scores, { minP: 0.49 })).toEqual([0, 1, 2])
    expect(candidateIds(scores, { temperature: 0.5, minP: 0.49 })).toEqual([0, 1])
  })
})

describe('sampling parameters', () => {
  it('are rejected when out of range', () => {
    const invalid: SamplingOptions[] = [
      { temperature: -1 },
      { temperature: Number.NaN },
      { topK: 1.5 },
      { topP: 1.1 },
      { minP: -0.1 },
      { repetitionPenalty: 0 },
      { presencePenalty: Number.POSITIVE_INFINITY },
      { stopIds: count(MAX_STOP_IDS + 1) },
    ]
    for (const options of invalid) expect(() => samplingParameterWords(options)).toThrow(/must be|at most/)
  })
})
