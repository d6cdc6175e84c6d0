/** Log-probabilities that a model tells, beside those of its logits. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GeneratedToken, type LocalModel, loadModel, type TokenLogprob } from '../src/index.js'
import { likeliestReference } from '../src/kernels/sampling/log-probabilities/log-probabilities.reference.js'
import { logProbabilityReference } from '../src/kernels/sampling/sample/sample.reference.js'

const TEXT = '北京是中国的首都。What is the capital of France? 12 + 35 = ?'

function expectLikeliest(found: readonly TokenLogprob[], logits: Float32Array, count: number): void {
  const expected = likeliestReference(logits, count)
  expect(found).toHaveLength(count)
  // Near ties may change places: logits are computed by other kernels in other steps.
  found.forEach(({ id, logprob }, rank) => {
    expect(Math.abs(logprob - expected[rank].logProbability)).toBeLessThan(0.02)
    expect(Math.abs(logprob - logProbabilityReference(logits, id))).toBeLessThan(0.02)
  })
}

describe('log-probabilities of the model that ships with the repository', () => {
  let model: LocalModel
  let logits: (ids: readonly number[], row: number) => Promise<Float32Array>
  beforeAll(async () => {
    // Chunks shorter than the text, and no block of rows is full at their ends.
    model = await loadModel('models/tiny', { contextLength: 128, activations: 'float', chunkTokens: 21 })
    const { vocabulary } = model.config
    const all = new Map<string, Float32Array>()
    logits = async (ids, row) => {
      const rows = all.get(ids.join()) ?? (await model.logits(ids))
      all.set(ids.join(), rows)
      return rows.subarray(row * vocabulary, (row + 1) * vocabulary)
    }
  })
  afterAll(() => model?.dispose())

  it('of a text are those of each id behind the others, with the likeliest at its place and behind the last', async () => {
    const ids = model.tokenizer.encodePrompt(TEXT)
    const { tokens, next } = await model.scores(TEXT, { top: 3 })
    expect(tokens.map(({ id }) => id)).toEqual(ids)
    expect(tokens[0]).toEqual({ id: ids[0], logprob: undefined, top: [] })
    for (let at = 1; at < ids.length; at++) {
      const row = await logits(ids, at - 1)
      expect(tokens[at].logprob).toBeCloseTo(logProbabilityReference(row, ids[at]), 3)
      expectLikeliest(tokens[at].top, row, 3)
    }
    expectLikeliest(next, await logits(ids, ids.length - 1), 3)
  })

  it('of an answer come with each token, the stop id included, for who asked', async () => {
    const messages = [{ role: 'user', content: '12 + 35 = ?' }] as const
    const options = { temperature: 0, maxTokens: 40 }
    const answer = model.generate(messages, { ...options, topLogprobs: 20 })
    const beside = model.generate(messages, { ...options, temperature: 1, seed: 5 }).result()
    const tokens: GeneratedToken[] = []
    for await (const token of answer) tokens.push(token)
    const generation = await answer.result()
    expect(generation.stopId).toBeDefined()
    expect(tokens).toHaveLength(generation.ids.length + 1)
    expect(generation.topLogprobs).toEqual(tokens.slice(0, -1).map(({ top }) => top))
    const prompt = (await model.scores(messages)).tokens.map(({ id }) => id)
    const whole = [...prompt, ...tokens.map(({ id }) => id)]
    for (const [i, { id, logprob, top }] of tokens.entries()) {
      const row = await logits(whole, prompt.length - 1 + i)
      expectLikeliest(top!, row, 20)
      expect(top![0].id).toBe(id)
      expect(top![0].logprob).toBeCloseTo(logprob, 4)
    }
    expect(await beside).not.toHaveProperty('topLogprobs')
  })

  it('can be asked for of 20 tokens at most', async () => {
    await expect(model.generate('a', { topLogprobs: 21 }).result()).rejects.toThrow('topLogprobs')
    await expect(model.scores('a', { top: -1 })).rejects.toThrow('top')
  })
})
