import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModel, type Model } from '../src/index.js'

const FOLDER = 'models/tiny'

describe('the model that ships with the repository', () => {
  let model: Model
  beforeAll(async () => {
    model = await loadModel(FOLDER, { contextLength: 128 })
  })
  afterAll(() => model?.dispose())

  it('takes less than 6 MB', async () => {
    const files = await readdir(FOLDER, { recursive: true, withFileTypes: true })
    const sizes = files.map(async (file) => (await stat(join(file.parentPath, file.name))).size)
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    expect(total).toBeLessThan(6e6)
  })

  it('has rows for all tokens, and some without one, as the official models do', () => {
    expect(model.config.vocabulary).toBeGreaterThan(model.tokenizer.vocabSize)
  })

  it.each([
    ['Chinese', '你好！请介绍一下杭州的西湖。'],
    ['English', 'What is the capital of China?'],
    ['what it has no pieces for', '𝄞 ñandú\n\t龘'],
    ['code', 'def f(x):\n    return x + 1'],
  ])('encodes and decodes %s', (_, text) => {
    expect(model.tokenizer.decode(model.tokenizer.encode(text))).toBe(text)
  })

  it('has frequent words as one token', () => {
    // The space before a text is a token of its own where Chinese follows.
    for (const text of ['人工智能', '问题', '面料']) expect(model.tokenizer.encode(text)).toHaveLength(2)
    for (const text of ['the', 'question', 'weather']) expect(model.tokenizer.encode(text)).toHaveLength(1)
  })

  it('generates the same text again when it always takes the likeliest token', async () => {
    const generate = async () => {
      const stream = model.generate('你好', { temperature: 0, maxTokens: 3 })
      const ids: number[] = []
      for await (const { id } of stream) ids.push(id)
      return ids
    }
    const ids = await generate()
    expect(ids.length).toBeGreaterThan(0)
    expect(await generate()).toEqual(ids)
  })

  it('computes other logits with its prefix', async () => {
    const ids = model.tokenizer.encodePrompt('你好')
    const prefix = await model.loadPrefix(join(FOLDER, 'prefixes/random'))
    const without = await model.logits(ids)
    const withPrefix = await model.logits(ids, { prefix })
    expect(prefix.length).toBe(8)
    expect(withPrefix.every(Number.isFinite)).toBe(true)
    const difference = without.reduce((most, value, i) => Math.max(most, Math.abs(value - withPrefix[i])), 0)
    expect(difference).toBeGreaterThan(0.1)
  })
})
