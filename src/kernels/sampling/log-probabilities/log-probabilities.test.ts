import { expect, it } from 'vitest'
import { describeOnGpu, skipRepeatedOnSoftware } from '../../testing/gpu.js'
import { randomNormal } from '../../testing/numbers.js'
import { logProbabilityReference } from '../sample/sample.reference.js'
import {
  compileLogProbabilities,
  LOG_PROBABILITY_WORDS,
  MOST_LIKELIEST,
  NO_TARGET,
  type RowScores,
  readLogProbabilities,
} from './log-probabilities.js'
import { likeliestReference } from './log-probabilities.reference.js'

describeOnGpu('log-probabilities', (test) => {
  skipRepeatedOnSoftware(test)

  const scoresOf = async (logits: Float32Array<ArrayBuffer>, targets: readonly number[]) => {
    const rows = targets.length
    const outputs = test().output(rows * LOG_PROBABILITY_WORDS, 'outputs')
    const kernel = await compileLogProbabilities(test().gpu, { vocabulary: logits.length / rows })
    const buffers = {
      logits: test().input(logits),
      targets: test().input(Uint32Array.from(targets)),
      outputs,
    }
    test().run(kernel.bind('log-probabilities', buffers), rows)
    const words = await test().words(outputs)
    return targets.map((_, row) => readLogProbabilities(words, row, MOST_LIKELIEST))
  }

  const expectScores = (found: RowScores, logits: Float32Array, target: number) => {
    const expected = likeliestReference(logits, MOST_LIKELIEST)
    expect(found.likeliest.map(({ id }) => id)).toEqual(expected.map(({ id }) => id))
    found.likeliest.forEach(({ logProbability }, i) => {
      expect(logProbability).toBeCloseTo(expected[i].logProbability, 4)
    })
    expect(found.logProbability).toBeCloseTo(logProbabilityReference(logits, target), 4)
  }

  // Fewer ids than are put out, as many, fewer than lanes, and several of each lane; one row is as another.
  for (const [rows, vocabulary] of [
    [1, 1],
    [2, 19],
    [3, 1200],
  ] as const) {
    it(`equal the reference for ${rows} rows of ${vocabulary}`, async () => {
      const logits = randomNormal(rows * vocabulary, vocabulary, 6)
      // Some are tied, also between lanes and within one.
      for (let i = 0; i + 40 < logits.length; i += 7) logits[i + 40] = logits[i]
      const targets = Array.from({ length: rows }, (_, row) => (row * 17) % vocabulary)
      const found = await scoresOf(logits, targets)
      found.forEach((scores, row) => {
        expectScores(scores, logits.subarray(row * vocabulary, (row + 1) * vocabulary), targets[row])
      })
    })
  }

  it('are no numbers without a target, and of a row with a logit that is none', async () => {
    const logits = randomNormal(3 * 50, 5, 2)
    logits[50 + 33] = Number.NaN
    logits[100 + 7] = Number.POSITIVE_INFINITY
    const [without, notANumber, infinite] = await scoresOf(logits, [NO_TARGET, 3, 4])
    expect(without.logProbability).toBeNaN()
    expect(without.likeliest).toHaveLength(MOST_LIKELIEST)
    expect(without.likeliest[0].logProbability).toBeLessThan(0)
    expect(notANumber.logProbability).toBeNaN()
    expect(infinite.logProbability).toBeNaN()
  })
})
