/** Constrained answers of the small model, on the GPU. */
import Ajv2020 from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModel, type Model } from '../src/index.js'

const SCHEMA = {
  type: 'object',
  properties: {
    city: { enum: ['北京', '上海', 'Paris'] },
    name: { type: 'string', maxLength: 12 },
    count: { type: 'integer', minimum: 1, maximum: 50 },
    tags: { type: 'array', items: { type: 'string', pattern: '^[a-z]{1,5}$' }, maxItems: 3 },
  },
  required: ['city', 'name', 'count'],
}

describe('constrained answers of the model that ships with the repository', () => {
  let model: Model
  beforeAll(async () => {
    model = await loadModel('models/tiny', { contextLength: 256 })
  })
  afterAll(() => model?.dispose())

  it('validate, whatever is drawn, also side by side with free ones', async () => {
    const validate = new Ajv2020().compile(SCHEMA)
    const prompts = Array.from({ length: 4 }, () => [{ role: 'user' as const, content: '北京天气怎么样？' }])
    const options = { temperature: 1.5, topK: 0, topP: 1, seed: 4 }
    const [answers, free] = await Promise.all([
      model
        .generateBatch(prompts, { ...options, constraint: { jsonSchema: SCHEMA }, maxTokens: 120 })
        .result(),
      model.generate('a', { seed: 1, maxTokens: 20 }).result(),
    ])
    expect(free.ids.length).toBeGreaterThan(0)
    for (const { text, finishReason } of answers) {
      expect(finishReason).toBe('stop')
      expect(validate(JSON.parse(text)), text).toBe(true)
    }
  })

  it('come in a chat without a header, and leave what follows as it is', async () => {
    const messages = [{ role: 'user' as const, content: '12 + 35 = ?' }]
    const options = { temperature: 0, constraint: { choices: ['forty', '47', '四十七'] } }
    const { last, generation, messages: said } = await model.chat(messages, options).result()
    expect(last).toEqual({ type: 'text', text: '47' })
    expect(generation.finishReason).toBe('stop')
    expect(said).toEqual([{ role: 'assistant', metadata: '', content: '47' }])
    const next = [...messages, ...said, { role: 'user' as const, content: '1 + 1 = ?' }]
    const { generation: free } = await model.chat(next, { temperature: 0, maxTokens: 30 }).result()
    expect(free.cachedTokens).toBeGreaterThan(0)
  })

  it('say that they were cut, and come with the log-probabilities of the model itself', async () => {
    const options = { constraint: { grammar: 'root ::= [0-9]{100}' }, maxTokens: 5, topLogprobs: 2 }
    const { text, finishReason, topLogprobs, logprobs } = await model.generate('a', options).result()
    expect(finishReason).toBe('length')
    expect(text).toMatch(/^\d+$/)
    // What the model likes best is another text, and the mask changes nothing about that.
    expect(topLogprobs![0][0].logprob).toBeGreaterThan(logprobs[0])
  })
})
