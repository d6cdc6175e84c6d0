import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions'
import { describe, expect, it } from 'vitest'
import { TOOLS_SYSTEM_PROMPT } from '../tokenizer/index.js'
import { eventsOf, jsonOf, testServer } from './testing/serve.js'

/** What the model says when the last thing said contains a word. */
const ANSWERS: Readonly<Record<string, string>> = {
  weather: "get_weather\n ```python\ntool_call(city='Paris', days=2, exact=True)\n```",
  bare: "get_weather\n tool_call(city='巴黎')",
  thought: "\nLet me look.<|assistant|> get_weather\n ```python\ntool_call(city='Paris')\n```",
  broken: 'get_weather\n ```python\ntool_call(city=open("x"))\n```',
  json: 'get_weather\n {"city": "Paris"}',
  odd: '天气 查询/2\n ```python\ntool_call(n=12345678901234567890)\n```',
  invented: "get_time\n ```python\ntool_call(zone='CET')\n```",
  word: 'Sure\nI can do that.',
  nothing: '\nNo tool helps here.',
}

let prompt = ''
const server = await testServer({
  answer: ({ text }) => {
    prompt = text
    if (text.includes('"temperature"')) return '\nIt is 22 degrees.'
    const [, last = ''] = /<\|user\|>\s*([a-z]+)/.exec(text.slice(text.lastIndexOf('<|user|>'))) ?? []
    return ANSWERS[last] ?? '\nHello.'
  },
})

const toolNamed = (name: string) => ({
  type: 'function',
  function: {
    name,
    description: 'The weather of a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
})
const tools = [toolNamed('get_weather'), toolNamed('天气 查询/2')]

const ask = async (content: string, more: object = {}) =>
  (await jsonOf<ChatCompletion>(server.chat(content, { tools, ...more }))).choices[0]

/** The message that a client joins out of the deltas of a stream. */
async function joinStream(content: string, more: object = {}) {
  const events = await eventsOf<ChatCompletionChunk>(server.chat(content, { tools, stream: true, ...more }))
  const calls: { id: string; name: string; arguments: string }[] = []
  let text = ''
  let reason: string | null = null
  for (const event of events) {
    if (event === '[DONE]') continue
    const [{ delta, finish_reason }] = event.choices
    text += delta.content ?? ''
    reason = finish_reason ?? reason
    for (const { index, id, function: part } of delta.tool_calls ?? []) {
      calls[index] ??= { id: id ?? '', name: part?.name ?? '', arguments: '' }
      calls[index].arguments += part?.arguments ?? ''
    }
  }
  return { text, calls, reason }
}

describe('a call of a tool', () => {
  it('comes with its arguments as JSON', async () => {
    expect(await ask('weather')).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        role: 'assistant',
        content: null,
        tool_calls: [
          {
            id: expect.stringMatching(/^call_./),
            type: 'function',
            function: { name: 'get_weather', arguments: '{"city":"Paris","days":2,"exact":true}' },
          },
        ],
      },
    })
  })

  it.each([
    ['weather', '', 'get_weather', '{"city":"Paris","days":2,"exact":true}'],
    ['bare', '', 'get_weather', '{"city":"巴黎"}'],
    ['thought', 'Let me look.', 'get_weather', '{"city":"Paris"}'],
    // What cannot be read as a call comes as it is, for the client to tell the model.
    ['broken', '', 'get_weather', '```python\ntool_call(city=open("x"))\n```'],
    ['json', '', 'get_weather', '{"city": "Paris"}'],
    // A name that is no identifier is known by the tools that were offered, and no digit is lost.
    ['odd', '', '天气 查询/2', '{"n":12345678901234567890}'],
    ['invented', '', 'get_time', '{"zone":"CET"}'],
  ])('%s: the same in a stream', async (content, text, name, args) => {
    const streamed = await joinStream(content)
    expect(streamed).toEqual({
      text,
      reason: 'tool_calls',
      calls: [{ id: expect.stringMatching(/^call_./), name, arguments: args }],
    })
    const { message } = await ask(content)
    expect(message.content ?? '').toBe(text)
    expect(message.tool_calls).toMatchObject([{ function: { name, arguments: args } }])
  })

  it('is not seen in text that has a word on its first line', async () => {
    expect(await joinStream('word')).toEqual({ text: 'Sure\nI can do that.', calls: [], reason: 'stop' })
    expect((await ask('word')).message.content).toBe('Sure\nI can do that.')
    expect(await joinStream('nothing')).toMatchObject({ text: 'No tool helps here.', calls: [] })
  })

  it('is not offered with tool_choice none', async () => {
    const { message, finish_reason } = await ask('nothing', { tool_choice: 'none' })
    expect({ finish_reason, ...message }).toMatchObject({
      finish_reason: 'stop',
      content: 'No tool helps here.',
    })
    expect(prompt).not.toContain('get_weather')
  })
})

describe('a call that must be made', () => {
  const city = { type: 'string', enum: ['Paris', '北京'] }
  const weather = {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city }, required: ['city'] },
    },
  }
  const time = { type: 'function', function: { name: 'get_time' } }
  const call = (name: string, args: RegExp) => ({
    content: null,
    tool_calls: [
      { id: expect.stringMatching(/^call_./), function: { name, arguments: expect.stringMatching(args) } },
    ],
  })

  it('is made whatever the model would say, with arguments that its schema describes', async () => {
    const { message, finish_reason } = await ask('nothing', { tools: [weather], tool_choice: 'required' })
    expect(message).toMatchObject(call('get_weather', /^\{"city":"(Paris|北京)"\}$/))
    expect(finish_reason).toBe('tool_calls')
    expect(prompt).toContain('"name": "get_weather"')
  })

  it('is of the tool that is named, in spite of a form that is asked for', async () => {
    const named = { type: 'function', function: { name: 'get_time' } }
    const body = { tools: [weather, time], tool_choice: named, response_format: { type: 'json_object' } }
    const { message } = await ask('weather', { ...body, parallel_tool_calls: true })
    expect(message).toMatchObject(call('get_time', /^\{\}$/))
  })

  it('is as the model makes it where that is right', async () => {
    const { message } = await ask('bare', { tools: [weather], tool_choice: 'required', temperature: 0 })
    expect(message).toMatchObject(call('get_weather', /^\{"city":"(Paris|北京)"\}$/))
  })

  it('streams its name as soon as it is there, then its arguments', async () => {
    const body = { tools: [weather, time], tool_choice: 'required', stream: true }
    const events = await eventsOf<ChatCompletionChunk>(server.chat('nothing', body))
    const deltas = events.flatMap((event) =>
      event === '[DONE]' ? [] : (event.choices[0].delta.tool_calls ?? []),
    )
    expect(deltas[0]).toMatchObject({ index: 0, type: 'function', function: { arguments: '' } })
    expect(deltas).toHaveLength(2)
    const { calls, reason, text } = await joinStream('nothing', body)
    expect({ reason, text }).toEqual({ reason: 'tool_calls', text: '' })
    expect(calls).toHaveLength(1)
    expect(() => JSON.parse(calls[0].arguments)).not.toThrow()
  })

  it('says that it was cut where it was', async () => {
    const body = { tools: [weather], tool_choice: 'required', max_tokens: 12 }
    expect((await ask('nothing', body)).finish_reason).toBe('length')
  })
})

describe('the prompt', () => {
  it('has the tools as ChatGLM3 learnt them, behind the message of the system', async () => {
    await server.post('/v1/chat/completions', {
      tools,
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'nothing' },
      ],
    })
    expect(prompt).toContain(`Be brief.\n\n${TOOLS_SYSTEM_PROMPT}\n[\n    {\n        "name": "get_weather",`)
    expect(prompt).not.toContain('"function"')
  })

  it('has calls and what tools answered, each behind its call', async () => {
    const call = (id: string, name: string, text: string) => ({
      id,
      type: 'function',
      function: { name, arguments: text },
    })
    const body = {
      tools,
      messages: [
        { role: 'user', content: 'weather' },
        {
          role: 'assistant',
          content: 'Let me look.',
          tool_calls: [
            call('a', 'get_weather', '{"city":"Paris","id":12345678901234567890}'),
            call('b', 'get_weather', ''),
          ],
        },
        { role: 'tool', tool_call_id: 'b', content: 'second' },
        { role: 'tool', tool_call_id: 'a', content: '{"temperature": 22}' },
      ],
    }
    const { choices } = await jsonOf<ChatCompletion>(server.post('/v1/chat/completions', body))
    expect(choices[0].message.content).toBe('It is 22 degrees.')
    const [, spoken] = prompt.split('Let me look.')
    expect(spoken.replace(/[\s]+/g, ' ')).toContain(
      "<|assistant|> get_weather ```python tool_call(city='Paris', id=12345678901234567890) ```" +
        '<|observation|> {"temperature": 22}' +
        '<|assistant|> get_weather ```python tool_call() ```<|observation|> second<|assistant|>',
    )
  })
})
