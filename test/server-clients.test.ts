/** Clients that others wrote, unmodified, against a server with the small model: what they read is what the library says. */
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { type AIMessageChunk, HumanMessage, SystemMessage, ToolMessage } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import { generateText, Output, stepCountIs, streamText, tool } from 'ai'
import OpenAI, { BadRequestError, NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type LocalModel, loadModel } from '../src/index.js'
import { testServer } from '../src/server/testing/serve.js'
import { type ChatServer, createServer } from '../src/server.js'

const QUESTION = 'What is the capital of China?'
const ANSWER = 'The capital of China is Beijing.'

let model: LocalModel
let server: ChatServer
let baseURL: string

beforeAll(async () => {
  model = await loadModel('models/tiny', { contextLength: 256, maxSequences: 4, cacheTokens: 2048 })
  server = await createServer(model, { name: 'tiny' })
  await server.addPrefix('poem', 'models/tiny/prefixes/poem')
  baseURL = `${await server.listen({ port: 0 })}/v1`
}, 120_000)

afterAll(async () => {
  await server?.close({ grace: 0 })
  model?.dispose()
})

const user = (content: string) => [{ role: 'user' as const, content }]
const idle = async () => {
  while (model.load.running > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('the client of OpenAI', () => {
  let client: OpenAI
  beforeAll(() => {
    client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 })
  })

  it('chats, and streams the same', async () => {
    const body = { model: 'tiny', messages: user(QUESTION), temperature: 0 }
    const whole = await client.chat.completions.create(body)
    expect(whole.choices[0].message.content).toBe(ANSWER)
    const stream = client.chat.completions.stream({ ...body, stream_options: { include_usage: true } })
    const final = await stream.finalChatCompletion()
    expect(final.choices[0]).toMatchObject({ message: { content: ANSWER }, finish_reason: 'stop' })
    expect(final.usage?.completion_tokens).toBe(whole.usage?.completion_tokens)
  })

  it('asks for a prefix as a model, and lists models', async () => {
    const asked = [{ role: 'user' as const, content: '类型#裙*颜色#红色' }]
    const { choices } = await client.chat.completions.create({
      model: 'poem',
      messages: asked,
      temperature: 0,
      max_tokens: 12,
    })
    const prefix = await model.loadPrefix('models/tiny/prefixes/poem')
    const reply = await model.chat(asked, { prefix, temperature: 0, maxTokens: 12 }).result()
    expect(choices[0].message.content).toBe(reply.messages[0].content)
    await model.unloadPrefix(prefix)
    const models: string[] = []
    for await (const { id } of client.models.list()) models.push(id)
    expect(models).toEqual(['tiny', 'poem'])
    expect(await client.models.retrieve('poem')).toMatchObject({ id: 'poem', context_length: 256 })
  })

  it('reads the log-probabilities that the library gives', async () => {
    const body = { model: 'tiny', messages: user(QUESTION), temperature: 0, logprobs: true, top_logprobs: 3 }
    const { choices } = await client.chat.completions.create(body)
    const { generation } = await model.chat(user(QUESTION), { temperature: 0, topLogprobs: 3 }).result()
    const told = choices[0].logprobs?.content ?? []
    expect(told.map(({ logprob }) => logprob)).toEqual(
      generation.logprobs.map((value) => expect.closeTo(value, 4)),
    )
    for (const { logprob, top_logprobs, bytes } of told) {
      expect(top_logprobs).toHaveLength(3)
      expect(top_logprobs[0].logprob).toBe(logprob)
      expect(bytes?.length).toBeGreaterThan(0)
    }
    const stream = client.chat.completions.stream(body)
    const streamed = await stream.finalChatCompletion()
    expect(streamed.choices[0].logprobs?.content?.map(({ token }) => token)).toEqual(
      told.map(({ token }) => token),
    )
  })

  it('gets JSON that a schema describes', async () => {
    const schema = {
      type: 'object',
      properties: { ok: { type: 'boolean' } },
      required: ['ok'],
      additionalProperties: false,
    }
    const { choices } = await client.chat.completions.create({
      model: 'tiny',
      messages: user(QUESTION),
      temperature: 0,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    })
    expect(choices[0].finish_reason).toBe('stop')
    expect(JSON.parse(choices[0].message.content ?? '')).toEqual({ ok: expect.any(Boolean) })
  })

  it('gets errors of its own classes', async () => {
    const wrong = client.chat.completions.create({ model: 'gpt-4', messages: user(QUESTION) })
    await expect(wrong).rejects.toBeInstanceOf(NotFoundError)
    const long = client.chat.completions.create({ model: 'tiny', messages: user('word '.repeat(400)) })
    await expect(long).rejects.toBeInstanceOf(BadRequestError)
    await expect(long).rejects.toMatchObject({ code: 'context_length_exceeded', status: 400 })
  })

  it('stops an answer', async () => {
    const stream = await client.chat.completions.create({
      model: 'tiny',
      messages: user('写一首诗'),
      stream: true,
    })
    for await (const _ of stream) break
    await idle()
    expect(model.load).toEqual({ running: 0, waiting: 0 })
  })

  it('completes texts', async () => {
    const { choices } = await client.completions.create({
      model: 'tiny',
      prompt: '北京是',
      max_tokens: 5,
      temperature: 0,
    })
    const library = await model.generate('北京是', { maxTokens: 5, temperature: 0 }).result()
    expect(choices[0].text.trimStart()).toBe(library.text)
  })
})

describe('the ai SDK', () => {
  const chatModel = () => createOpenAICompatible({ name: 'chatglm', baseURL, includeUsage: true })('tiny')

  it('generates and streams', async () => {
    const { text, usage, finishReason } = await generateText({
      model: chatModel(),
      prompt: QUESTION,
      temperature: 0,
    })
    expect([text, finishReason]).toEqual([ANSWER, 'stop'])
    expect(usage.outputTokens).toBeGreaterThan(5)
    const stream = streamText({ model: chatModel(), prompt: QUESTION, temperature: 0 })
    let streamed = ''
    for await (const piece of stream.textStream) streamed += piece
    expect(streamed).toBe(ANSWER)
    expect((await stream.usage).outputTokens).toBe(usage.outputTokens)
  })
})

describe('LangChain', () => {
  const chatModel = (more = {}) =>
    new ChatOpenAI({
      model: 'tiny',
      temperature: 0,
      apiKey: 'none',
      maxRetries: 0,
      configuration: { baseURL },
      ...more,
    })

  it('invokes and streams', async () => {
    const asked = [new SystemMessage('Be brief.'), new HumanMessage(QUESTION)]
    const whole = await chatModel().invoke(asked)
    const library = await model
      .chat([{ role: 'system', content: 'Be brief.' }, ...user(QUESTION)], { temperature: 0 })
      .result()
    expect(whole.content).toBe(library.messages[0].content)
    expect(whole.usage_metadata?.input_tokens).toBe(library.generation.promptTokens)
    let streamed = ''
    for await (const piece of await chatModel().stream(asked)) streamed += piece.content
    expect(streamed).toBe(whole.content)
  })
})

describe('tools, from the question over the call to the answer', () => {
  const asked: string[] = []
  const weather = ({ city }: { city: string }) => {
    asked.push(city)
    return { temperature: 22 }
  }
  const parameters = {
    type: 'object' as const,
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  }
  let url: string
  beforeAll(async () => {
    // The small model calls no tools; this one says what it is told to.
    const scripted = await testServer({
      answer: ({ text }) =>
        text.includes('"temperature":') || text.includes('temperature: 22')
          ? '\nIt is 22 degrees.'
          : "get_weather\n ```python\ntool_call(city='Paris')\n```",
    })
    url = `${scripted.url}/v1`
  })

  it('with the client of OpenAI', async () => {
    const client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 })
    for (const stream of [false, true]) {
      const runner = client.chat.completions.runTools({
        model: 'chatglm3-6b',
        messages: user('weather in Paris?'),
        ...(stream && { stream: true }),
        tools: [
          {
            type: 'function',
            function: {
              name: 'get_weather',
              description: '',
              parameters,
              parse: JSON.parse,
              function: weather,
            },
          },
        ],
      } as Parameters<typeof client.chat.completions.runTools>[0])
      expect(await runner.finalContent()).toBe('It is 22 degrees.')
      expect(asked.splice(0)).toEqual(['Paris'])
    }
  })

  it('with the ai SDK', async () => {
    const chat = createOpenAICompatible({ name: 'chatglm', baseURL: url })('chatglm3-6b')
    const tools = {
      get_weather: tool({
        description: '',
        inputSchema: z.object({ city: z.string() }),
        execute: async (input) => weather(input),
      }),
    }
    const settings = { model: chat, prompt: 'weather in Paris?', tools, stopWhen: stepCountIs(3) }
    expect((await generateText(settings)).text).toBe('It is 22 degrees.')
    expect(await streamText(settings).text).toBe('It is 22 degrees.')
    expect(asked.splice(0)).toEqual(['Paris', 'Paris'])
  })

  it('with LangChain', async () => {
    const get = { type: 'function' as const, function: { name: 'get_weather', description: '', parameters } }
    const chat = new ChatOpenAI({
      ...{ model: 'chatglm3-6b', apiKey: 'none', maxRetries: 0, configuration: { baseURL: url } },
    }).bindTools([get])
    const question = new HumanMessage('weather in Paris?')
    const call = await chat.invoke([question])
    expect(call.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }])
    let streamed: AIMessageChunk | undefined
    for await (const piece of await chat.stream([question]))
      streamed = streamed ? streamed.concat(piece) : piece
    expect(streamed?.tool_calls).toMatchObject([{ name: 'get_weather', args: { city: 'Paris' } }])
    const answer = new ToolMessage({
      content: '{"temperature": 22}',
      tool_call_id: call.tool_calls?.[0].id ?? '',
    })
    expect((await chat.invoke([question, call, answer])).content).toBe('It is 22 degrees.')
  })
})

describe('forms that must be kept, whatever the model says', () => {
  const city = { type: 'string' as const, enum: ['Paris', '北京'] }
  const parameters = {
    type: 'object' as const,
    properties: { city },
    required: ['city'],
    additionalProperties: false,
  }
  const shape = z.object({ city: z.enum(['Paris', '北京']) })
  const get = { type: 'function' as const, function: { name: 'get_weather', description: '', parameters } }
  let url: string
  beforeAll(async () => {
    url = `${(await testServer({ answer: () => '\nI would rather talk.' })).url}/v1`
  })

  it('with the client of OpenAI', async () => {
    const client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 })
    const body = { model: 'chatglm3-6b', messages: user('weather'), tools: [get] }
    for (const tool_choice of [
      'required' as const,
      { type: 'function' as const, function: { name: 'get_weather' } },
    ]) {
      const whole = await client.chat.completions.create({ ...body, tool_choice })
      const streamed = await client.chat.completions.stream({ ...body, tool_choice }).finalChatCompletion()
      for (const { message, finish_reason } of [whole.choices[0], streamed.choices[0]]) {
        const [call] = message.tool_calls ?? []
        expect(finish_reason).toBe('tool_calls')
        expect(shape.parse(JSON.parse(call.type === 'function' ? call.function.arguments : ''))).toBeTruthy()
      }
    }
    const { tools: _, ...plain } = body
    const ofGrammar = { ...plain, grammar: 'root ::= "yes" | "no"' }
    const { choices } = await client.chat.completions.create(ofGrammar)
    expect(['yes', 'no']).toContain(choices[0].message.content)
  })

  it('with the ai SDK', async () => {
    const provider = createOpenAICompatible({
      name: 'chatglm',
      baseURL: url,
      supportsStructuredOutputs: true,
    })
    const settings = { model: provider('chatglm3-6b'), prompt: 'weather' }
    const tools = { get_weather: tool({ description: '', inputSchema: shape }) }
    const { toolCalls } = await generateText({ ...settings, tools, toolChoice: 'required' })
    expect(shape.parse(toolCalls[0].input)).toBeTruthy()
    const { output } = await generateText({ ...settings, output: Output.object({ schema: shape }) })
    expect(shape.parse(output)).toBeTruthy()
  })

  it('with LangChain', async () => {
    const fields = { model: 'chatglm3-6b', apiKey: 'none', maxRetries: 0, configuration: { baseURL: url } }
    const chat = new ChatOpenAI(fields)
    const { tool_calls } = await chat.bindTools([get], { tool_choice: 'any' }).invoke('weather')
    expect(shape.parse(tool_calls?.[0].args)).toBeTruthy()
    for (const method of ['functionCalling', 'jsonSchema'] as const) {
      const answer = await chat.withStructuredOutput(shape, { name: 'weather', method }).invoke('weather')
      expect(shape.parse(answer)).toBeTruthy()
    }
  })
})

describe('what goes wrong, and who goes away', () => {
  it('is an error of the ai SDK', async () => {
    const provider = createOpenAICompatible({ name: 'chatglm', baseURL })
    const asked = { prompt: QUESTION, maxRetries: 0 }
    await expect(generateText({ model: provider('gpt-4'), ...asked })).rejects.toMatchObject({
      statusCode: 404,
      message: expect.stringContaining('There is no model "gpt-4"'),
    })
    const abortSignal = AbortSignal.timeout(150)
    const long = { prompt: '写一首诗', maxRetries: 0, abortSignal, maxOutputTokens: 200 }
    await expect(generateText({ model: provider('tiny'), ...long })).rejects.toThrow()
    await idle()
    expect(model.load).toEqual({ running: 0, waiting: 0 })
  })

  it('is an error of LangChain, and its log-probabilities are read', async () => {
    const fields = { temperature: 0, apiKey: 'none', maxRetries: 0, configuration: { baseURL } }
    const wrong = new ChatOpenAI({ ...fields, model: 'gpt-4' }).invoke(QUESTION)
    await expect(wrong).rejects.toMatchObject({ status: 404 })
    const chat = new ChatOpenAI({ ...fields, model: 'tiny', logprobs: true, topLogprobs: 2, maxTokens: 3 })
    const { response_metadata } = await chat.invoke(QUESTION)
    expect((response_metadata.logprobs as { content: unknown[] }).content).toHaveLength(3)
    const aborted = chat.invoke('写一首诗', { signal: AbortSignal.timeout(20) })
    await expect(aborted).rejects.toThrow()
    await idle()
    expect(model.load).toEqual({ running: 0, waiting: 0 })
  })
})

describe('requests of lm-evaluation-harness', () => {
  const post = async <Body>(path: string, body: object): Promise<Body> => {
    const url = new URL(path, baseURL)
    const headers = { 'content-type': 'application/json' }
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).json() as Promise<Body>
  }
  const encode = async (prompt: string) =>
    (await post<{ tokens: number[] }>('/tokenize', { prompt, add_special_tokens: false })).tokens

  it('give the log-likelihood that the library gives', async () => {
    const contexts = ['The capital of China is', '中国的首都是']
    const continuations = [' Beijing.', '北京。']
    const prompts = await Promise.all(contexts.map((context, i) => encode(context + continuations[i])))
    const lengths = await Promise.all(contexts.map(async (context) => (await encode(context)).length))
    const body = {
      model: 'tiny',
      prompt: prompts,
      temperature: 0,
      max_tokens: 1,
      logprobs: 1,
      seed: 1234,
      echo: true,
    }
    const { choices } = await post<OpenAI.Completion>('/v1/completions', body)
    expect(choices.map(({ index }) => index)).toEqual([0, 1])
    for (const { index, logprobs } of choices) {
      const ids = prompts[index]
      const told = logprobs?.token_logprobs?.slice(lengths[index], -1) as number[]
      const { tokens } = await model.scores(ids, { top: 1 })
      const expected = tokens.slice(lengths[index])
      expect(told).toEqual(expected.map(({ logprob }) => expect.closeTo(logprob ?? 0, 5)))
      // What it takes for greedy: the probability of each token is that of the likeliest.
      const greedy = told.map(
        (value, i) =>
          value === Math.max(...Object.values(logprobs!.top_logprobs!.slice(lengths[index], -1)[i])),
      )
      expect(greedy).toEqual(expected.map(({ id, top }) => id === top[0].id))
      expect(logprobs?.token_logprobs).toHaveLength(ids.length + 1)
      expect(logprobs?.token_logprobs?.[0]).toBeNull()
    }
  })

  it('generate until a text', async () => {
    const [prompt] = await Promise.all([encode('中国的首都是')])
    const body = {
      prompt: [prompt],
      model: 'tiny',
      max_tokens: 8,
      temperature: 0,
      stop: ['。', '\n\n'],
      seed: 1234,
    }
    const { choices } = await post<OpenAI.Completion>('/v1/completions', body)
    const library = await model
      .generate(prompt, { maxTokens: 8, temperature: 0, stop: ['。', '\n\n'] })
      .result()
    expect(choices[0].text.trimStart()).toBe(library.text)
    const chat = {
      messages: user(QUESTION),
      model: 'tiny',
      max_tokens: 16,
      temperature: 0,
      stop: ['\n\n'],
      seed: 1234,
    }
    const answered = await post<OpenAI.ChatCompletion>('/v1/chat/completions', chat)
    expect(answered.choices[0].message.content).toBe(ANSWER)
  })
})
