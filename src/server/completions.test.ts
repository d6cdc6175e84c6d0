import type { Completion } from 'openai/resources/completions'
import { describe, expect, it } from 'vitest'
import { errorOf, eventsOf, jsonOf, testServer } from './testing/serve.js'

const server = await testServer(
  {
    answer: ({ text, temperature, seed }) => {
      if (text.includes('settings')) return `temperature ${temperature}, seed ${seed}`
      if (text.includes('long')) return 'word '.repeat(60)
      return text.includes('中国') ? '北京。' : 'Beijing.'
    },
  },
  { manageAdapters: true },
)
const { tokenizer } = server.model
const complete = (body: object) => jsonOf<Completion>(server.post('/v1/completions', body))
const texts = ({ choices }: Completion) => choices.map(({ index, text }) => [index, text])

describe('a completion', () => {
  it('has the shape that clients expect', async () => {
    expect(await complete({ prompt: '中国的首都是' })).toEqual({
      id: expect.stringMatching(/^cmpl-./),
      object: 'text_completion',
      created: expect.any(Number),
      model: 'chatglm3-6b',
      choices: [
        { index: 0, text: expect.stringMatching(/^ ?北京。$/), logprobs: null, finish_reason: 'stop' },
      ],
      usage: {
        prompt_tokens: tokenizer.encodePrompt('中国的首都是').length,
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
      },
    })
  })

  it('goes on from its prompt: the space before its first word is there', async () => {
    expect(texts(await complete({ prompt: 'The capital of China is' }))).toEqual([[0, ' Beijing.']])
    const [[, echoed]] = texts(await complete({ prompt: 'The capital of China is', echo: true }))
    expect(echoed).toBe('The capital of China is Beijing.')
  })

  it('takes a text, ids, and lists of both, several answers to each', async () => {
    const ids = tokenizer.encodePrompt('settings')
    const prompts = ['settings', ids, ['settings'], [ids], [ids, 'settings']]
    for (const prompt of prompts) {
      const { choices, usage } = await complete({ prompt, temperature: 0, seed: 1 })
      expect(choices.map(({ text }) => text.trim())).toEqual(choices.map(() => 'temperature 0, seed 1'))
      expect(usage?.prompt_tokens).toBe(choices.length * ids.length)
    }
    const { choices } = await complete({ prompt: ['settings', 'settings '], n: 2, temperature: 1, seed: 3 })
    expect(choices.map(({ index, text }) => `${index}${text}`)).toEqual([
      '0 temperature 1, seed 3',
      '1 temperature 1, seed 4',
      '2 temperature 1, seed 3',
      '3 temperature 1, seed 4',
    ])
  })

  it('has 16 tokens unless told otherwise, or none', async () => {
    const { choices, usage } = await complete({ prompt: 'long' })
    expect([choices[0].finish_reason, usage?.completion_tokens]).toEqual(['length', 16])
    const none = await complete({ prompt: 'long', max_tokens: 0, echo: true })
    expect(none).toMatchObject({ choices: [{ text: 'long', finish_reason: 'length' }] })
    expect(none.usage?.completion_tokens).toBe(0)
  })

  it('streams the same', async () => {
    const body = { prompt: ['The capital is', '中国'], echo: true }
    const events = await eventsOf<Completion>(server.post('/v1/completions', { ...body, stream: true }))
    expect(events.at(-1)).toBe('[DONE]')
    const joined = ['', '']
    for (const event of events) {
      if (event !== '[DONE]') for (const { index, text } of event.choices) joined[index] += text
    }
    expect(joined).toEqual((await complete(body)).choices.map(({ text }) => text))
  })

  it.each([
    [{}, 'prompt', 'missing_required_parameter'],
    [{ prompt: [] }, 'prompt', 'invalid_value'],
    [{ prompt: [[]] }, 'prompt[0]', 'invalid_value'],
    [{ prompt: [1.5] }, 'prompt', 'invalid_value'],
    [{ prompt: 'a', logprobs: 21 }, 'logprobs', 'invalid_value'],
    [{ prompt: 'a', suffix: 'b' }, 'suffix', 'unsupported_parameter'],
    [{ prompt: 'a', best_of: 3 }, 'best_of', 'unsupported_parameter'],
    [{ prompt: [99_999_999] }, null, 'input.token-invalid'],
    [{ prompt: new Array(40).fill('a'), n: 2 }, 'n', 'too_many_choices'],
    [{ prompt: 'a '.repeat(600) }, null, 'context_length_exceeded'],
  ])('%j is refused', async (body, param, code) => {
    expect(await errorOf(server.post('/v1/completions', body))).toMatchObject({ status: 400, param, code })
  })
})

describe('adapters', () => {
  const adapters = async () =>
    (await jsonOf<{ data: { id: string; strength: number }[] }>(server.get('/v1/adapters'))).data

  it('are loaded, weighed, used and taken away', async () => {
    const made = await server.post('/v1/adapters', { id: 'ads', source: 'prefixes/ads', strength: 0.5 })
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({
      id: 'ads',
      object: 'adapter',
      type: 'prefix',
      length: 8,
      strength: 0.5,
    })
    expect(await errorOf(server.post('/v1/adapters', { id: 'ads', source: 'prefixes/b' }))).toMatchObject({
      status: 409,
      code: 'name_taken',
    })
    await server.post('/v1/adapters/ads', { strength: 0.25 })
    expect(await adapters()).toMatchObject([{ id: 'ads', strength: 0.25 }])
    expect((await server.chat('hello', { model: 'ads' })).status).toBe(200)
    const gone = await fetch(`${server.url}/v1/adapters/ads`, { method: 'DELETE' })
    expect(await gone.json()).toEqual({ id: 'ads', object: 'adapter', deleted: true })
    expect(await adapters()).toEqual([])
    expect(await errorOf(server.chat('hello', { model: 'ads' }))).toMatchObject({ status: 404 })
  })

  it('are prefixes or LoRA, and each a model', async () => {
    const made = server.post('/v1/adapters', { id: 'style', source: 'loras/style', strength: 0.75 })
    expect(await jsonOf(made)).toMatchObject({ id: 'style', type: 'lora', strength: 0.75 })
    const told = await jsonOf(server.get('/v1/models/style'))
    expect(told).toMatchObject({ id: 'style', root: 'loras/style', lora: { strength: 0.75 } })
    expect((await server.chat('hello', { prefix: { id: 'style', strength: 0.5 } })).status).toBe(200)
    await fetch(`${server.url}/v1/adapters/style`, { method: 'DELETE' })
  })

  it.each([
    [{ id: 'a b', source: 'x' }, 400],
    [{ id: 'a', source: 'x', scale: 1 }, 400],
    [{ id: 'a', source: 'prefixes/a', strength: 2 }, 400],
    [{ id: 'chatglm3-6b', source: 'prefixes/a' }, 409],
  ])('%j is refused', async (body, status) => {
    expect(await errorOf(server.post('/v1/adapters', body))).toMatchObject({ status })
  })

  it('stay as they are where clients may not change them', async () => {
    const fixed = await testServer()
    expect(await errorOf(fixed.post('/v1/adapters', { id: 'a', source: 'prefixes/a' }))).toMatchObject({
      status: 403,
      code: 'adapters_fixed',
    })
    expect(await jsonOf(fixed.get('/v1/adapters'))).toEqual({ object: 'list', data: [] })
  })
})
