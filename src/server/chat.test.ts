import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions'
import { describe, expect, it } from 'vitest'
import { errorOf, eventsOf, jsonOf, type TestServer, testServer, until } from './testing/serve.js'

const POEM = ' \n春天\n来了'
const server = await testServer({
  answer: ({ text, prefix, strength, temperature, seed }) => {
    if (prefix) return `\n${prefix} at ${strength}`
    if (text.includes('poem')) return POEM
    if (text.includes('settings')) return `\ntemperature ${temperature}, seed ${seed}`
    if (text.includes('echo')) return `\n${text.replaceAll('<|', '<')}`
    if (text.includes('long')) return `\n${'word '.repeat(300)}`
    return '\nThe capital is Beijing.'
  },
})
await server.server.addPrefix('ads', 'prefixes/ads')

const complete = (content: string, more: object = {}) => jsonOf<ChatCompletion>(server.chat(content, more))

/** What the pieces of a stream say together, by the index of the choice. */
function joined(events: readonly (ChatCompletionChunk | '[DONE]')[]): string[] {
  const texts: string[] = []
  for (const event of events) {
    if (event === '[DONE]') continue
    for (const { index, delta } of event.choices) texts[index] = (texts[index] ?? '') + (delta.content ?? '')
  }
  return texts
}

describe('a chat completion', () => {
  it('has the shape that clients expect', async () => {
    expect(await complete('What is the capital of China?', { model: 'chatglm3-6b' })).toEqual({
      id: expect.stringMatching(/^chatcmpl-./),
      object: 'chat.completion',
      created: expect.any(Number),
      model: 'chatglm3-6b',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'The capital is Beijing.', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: expect.any(Number),
        completion_tokens: expect.any(Number),
        total_tokens: expect.any(Number),
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
      },
    })
  })

  it('counts the tokens that the model counts', async () => {
    const question = [{ role: 'user', content: 'poem' }] as const
    const { generation } = await server.model.chat(question).result()
    const { usage } = await complete('poem')
    expect(usage).toMatchObject({
      prompt_tokens: generation.promptTokens,
      completion_tokens: generation.ids.length,
      total_tokens: generation.promptTokens + generation.ids.length,
    })
  })

  it('takes every way to say a message', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: [{ type: 'text', text: 'Be kind.' }] },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'echo' },
          { type: 'text', text: 'this' },
        ],
        name: 'Ann',
      },
    ]
    const body = await jsonOf<ChatCompletion>(server.post('/v1/chat/completions', { messages }))
    expect(body.choices[0].message.content).toContain(
      '<system|> \n Be brief.\n\nBe kind.<user|> \n echo\nthis<assistant|>',
    )
  })

  it('ends at a stop text, at the most tokens, and says so', async () => {
    const stopped = await complete('poem', { stop: '来' })
    expect(stopped.choices[0]).toMatchObject({ message: { content: '春天' }, finish_reason: 'stop' })
    for (const limit of [{ max_tokens: 3 }, { max_completion_tokens: 3, max_tokens: 9 }]) {
      const cut = await complete('long', limit)
      expect(cut.choices[0].finish_reason).toBe('length')
      expect(cut.usage?.completion_tokens).toBe(3)
    }
  })

  it('takes settings, null for those left out, and fields that mean nothing here', async () => {
    const settings = { temperature: 0, seed: 7, top_p: 0, top_k: -1, stop: null, max_tokens: null, n: null }
    const ignored = {
      user: 'me',
      store: true,
      metadata: { a: 'b' },
      service_tier: 'auto',
      reasoning_effort: 'low',
    }
    const { choices } = await complete('settings', {
      ...settings,
      ...ignored,
      response_format: { type: 'text' },
    })
    expect(choices[0].message.content).toBe('temperature 0, seed 7')
  })

  it('gives several answers, each with a seed of its own', async () => {
    const { choices, usage } = await complete('settings', { n: 3, seed: 5, temperature: 1 })
    expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, 'temperature 1, seed 5'],
      [1, 'temperature 1, seed 6'],
      [2, 'temperature 1, seed 7'],
    ])
    const one = await complete('settings', { seed: 5, temperature: 1 })
    expect(usage?.prompt_tokens).toBe(one.usage?.prompt_tokens)
  })
})

describe('a prefix', () => {
  it('is a model, or named in the body with its strength', async () => {
    const content = async (more: object) => (await complete('hello', more)).choices[0].message.content
    expect(await content({ model: 'ads' })).toBe('prefixes/ads at 1')
    expect(await content({ prefix: 'ads' })).toBe('prefixes/ads at 1')
    expect(await content({ prefix: { id: 'ads', strength: 0.5 } })).toBe('prefixes/ads at 0.5')
    expect(await content({ model: 'ads', prefix: { id: 'ads', strength: 0.25 } })).toBe(
      'prefixes/ads at 0.25',
    )
    expect(await content({ prefix: { id: 'ads', strength: 0 } })).toBe('The capital is Beijing.')
  })

  it('that is not there is 404', async () => {
    expect(await errorOf(server.chat('hello', { model: 'gpt-4' }))).toMatchObject({
      status: 404,
      code: 'model_not_found',
      param: 'model',
      message: 'There is no model "gpt-4" here. There are: chatglm3-6b, ads.',
    })
    expect(await errorOf(server.chat('hello', { prefix: 'poems' }))).toMatchObject({
      status: 404,
      code: 'prefix_not_found',
    })
  })
})

describe('a stream', () => {
  const stream = (content: string, more: object = {}) =>
    eventsOf<ChatCompletionChunk>(server.chat(content, { stream: true, ...more }))

  it('has the same text in chunks of the shape that clients expect', async () => {
    const events = await stream('poem')
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.filter((event) => event !== '[DONE]')
    expect(chunks[0].choices).toEqual([
      { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
    ])
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: chunks[0].id,
        object: 'chat.completion.chunk',
        created: expect.any(Number),
        model: 'chatglm3-6b',
      })
      expect(chunk.usage).toBeUndefined()
    }
    expect(chunks.at(-1)?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }])
    expect(chunks.length).toBeGreaterThan(4)
    expect(joined(events)).toEqual(['春天\n来了'])
  })

  it('counts tokens in a last chunk where that was asked for', async () => {
    const events = await stream('poem', { stream_options: { include_usage: true } })
    const chunks = events.filter((event) => event !== '[DONE]')
    const { usage } = await complete('poem')
    expect(chunks.at(-1)).toMatchObject({
      choices: [],
      usage: { ...usage, prompt_tokens_details: { cached_tokens: expect.any(Number) } },
    })
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
  })

  it('has several answers side by side', async () => {
    const events = await stream('settings', { n: 2, seed: 1, temperature: 1 })
    expect(joined(events)).toEqual(['temperature 1, seed 1', 'temperature 1, seed 2'])
  })

  it('that cannot begin has a status', async () => {
    const response = server.chat('hello', { stream: true, model: 'gpt-4' })
    expect(await errorOf(response)).toMatchObject({ status: 404, code: 'model_not_found' })
  })
})

describe('a prompt', () => {
  it('that is too long is refused with both numbers, not cut', async () => {
    for (const stream of [false, true]) {
      expect(await errorOf(server.chat('字 '.repeat(600), { stream }))).toMatchObject({
        status: 400,
        code: 'context_length_exceeded',
        type: 'invalid_request_error',
        message: expect.stringMatching(/has \d{4} tokens.* room for 512 tokens/),
      })
    }
  })

  it('that is far too long is refused before it is cut into tokens', async () => {
    const before = performance.now()
    expect(await errorOf(server.chat('word '.repeat(500_000)))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      message: expect.stringMatching(/more than \d+ tokens.* room for 512 tokens/),
    })
    expect(performance.now() - before).toBeLessThan(1000)
  })
})

describe('more requests than there is room for', () => {
  let busy: TestServer
  it('wait, and beyond that are refused with 429 and when to ask again', async () => {
    busy = await testServer({
      answer: () => `\n${'word '.repeat(20)}`,
      maxSequences: 1,
      maxWaiting: 1,
      stepMs: 5,
    })
    const first = busy.chat('one')
    await until(() => busy.model.load.running === 1)
    const second = busy.chat('two', { stream: true })
    await until(() => busy.model.load.waiting === 1)
    for (const stream of [false, true]) {
      const refused = await errorOf(busy.chat('three', { stream }))
      expect(refused).toMatchObject({ status: 429, type: 'rate_limit_error', code: 'queue_full' })
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    }
    expect((await first).status).toBe(200)
    expect(joined(await eventsOf<ChatCompletionChunk>(second))[0]).toMatch(/^(word ){19}word$/)
  })
})
