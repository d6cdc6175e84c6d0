import { afterAll, describe, expect, it } from 'vitest'
import { ScriptedModel } from '../../src/server/testing/scripted-model.js'
import { runClients } from './clients.js'
import { growthOf, soakServer } from './soak.js'

describe('a server that many clients ask at random', () => {
  const model = new ScriptedModel({
    // Of each question its own, behind a prefix another.
    answer: ({ text, prefix }) =>
      `\n${prefix ?? ''}${text.slice(-12).replace(/[<|>]/g, '')} is what you asked.`,
    maxSequences: 6,
    maxWaiting: 12,
    contextLength: 256,
    stepMs: 1,
  })
  afterAll(() => model.dispose())

  it('answers all as it must, loses none, and holds nothing in the end', async () => {
    const options = {
      clients: 24,
      milliseconds: 3000,
      seed: 3,
      prefixSource: 'prefixes/poem',
      sampleEvery: 1000,
    }
    const { wrong, done, refused, statuses } = await soakServer(model, { ...options, runClients })
    expect(wrong).toEqual([])
    expect(Object.keys(done).length).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(0)
    // A client may go away before it hears that it was refused.
    expect(statuses[429]).toBeGreaterThanOrEqual(refused)
    expect(statuses[500]).toBeUndefined()
    const { cache } = model.engine
    cache.forget()
    expect(cache.free).toBe(cache.pages)
  }, 60_000)

  it('is judged by its memory behind warm-up', () => {
    const samples = [10, 50, 90, 91, 90, 92, 95, 96, 95].map((rss, second) => ({
      second,
      rss,
      heap: 1,
      requests: 1,
    }))
    expect(growthOf(samples, 'rss')).toBe(4)
    expect(growthOf(samples, 'heap')).toBe(0)
  })
})
