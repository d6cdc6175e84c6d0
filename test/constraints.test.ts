/** Constrained answers of the small model, on the GPU. */
import Ajv2020 from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalModel, loadModel, type Message } from '../src/index.js'
import { buildPrompt } from '../src/tokenizer/index.js'

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
  let model: LocalModel
  const promptIds = (messages: readonly Message[]) => [
    ...buildPrompt(model.tokenizer, messages),
    ...model.tokenizer.encode('\n'),
  ]
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

  it('are the same whether ids that must come take rows of one step or steps of their own', async () => {
    const schema = {
      type: 'object',
      properties: { description: { type: 'boolean' }, numberOfPeople: { enum: [12, 345] } },
      required: ['description', 'numberOfPeople'],
    }
    const prompt = [{ role: 'user' as const, content: 'How many?' }]
    const options = {
      constraint: { jsonSchema: schema },
      temperature: 0,
      topLogprobs: 1,
      repetitionPenalty: 1.1,
    }
    const alone = await model.generate(prompt, options).result()
    // As many as there are places for: no rows are left for what must come.
    const beside = await model.generateBatch(new Array(8).fill(prompt), options).result()
    expect(JSON.parse(alone.text)).toEqual({
      description: expect.any(Boolean),
      numberOfPeople: expect.any(Number),
    })
    for (const one of beside) {
      expect(one.ids).toEqual(alone.ids)
      expect(one.logprobs).toEqual(alone.logprobs.map((value) => expect.closeTo(value, 0)))
    }
    // They are as likely as the model finds them, and what was computed for them is right.
    const ids = [...promptIds(prompt), ...alone.ids]
    const { tokens } = await model.scores(ids)
    const told = tokens.slice(-alone.ids.length).map(({ logprob }) => expect.closeTo(logprob ?? 0, 0))
    expect(alone.logprobs).toEqual(told)
    const next = { temperature: 0, maxTokens: 3 }
    const cached = await model.generate([...ids, 13, 13], next).result()
    expect(cached.cachedTokens).toBeGreaterThan(ids.length - 2)
    const again = await model.scores([...ids, 13, 13, ...cached.ids], { top: 1 })
    expect(again.tokens.slice(-cached.ids.length).map(({ top }) => top[0].id)).toEqual(cached.ids)
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
