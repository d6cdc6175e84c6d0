import { connect } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { BAD_REQUESTS, PREFIX_QUESTION, type SoakPlan } from './plan.js'

/** A body of JSON, as far as a client looks at it. */
interface Answer {
  readonly choices: readonly {
    readonly message: {
      readonly content: string | null
      readonly tool_calls?: readonly {
        readonly function: { readonly name: string; readonly arguments: string }
      }[]
    }
    readonly text?: string
    readonly logprobs: {
      readonly content?: readonly unknown[]
      readonly token_logprobs?: readonly unknown[]
    } | null
    readonly finish_reason: string
  }[]
  readonly usage: { readonly completion_tokens: number }
}

interface Chunk {
  readonly choices: readonly {
    readonly delta: { readonly content?: string }
    readonly finish_reason: string | null
  }[]
  readonly error?: { readonly code: string }
}

type Body = Readonly<Record<string, unknown>>

/** Thrown where an answer is not what it must be. */
class Wrong extends Error {}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { enum: ['Paris', '北京'] } }, required: ['city'] },
  },
}

/** A client that asks one thing after another, at random, and looks at what it gets. */
export class SoakClient {
  readonly #plan: SoakPlan
  readonly #random: () => number
  refused = 0

  constructor(plan: SoakPlan, random: () => number) {
    this.#plan = plan
    this.#random = random
  }

  /** What a client may do, and how often. */
  readonly #actions: readonly (readonly [name: string, weight: number, act: () => Promise<void>])[] = [
    ['greedy answer', 6, () => this.#greedy()],
    ['greedy stream', 6, () => this.#greedyStream()],
    ['answer behind a prefix', 2, () => this.#behindPrefix()],
    ['sampled answers', 3, () => this.#sampled()],
    ['answer of a form', 3, () => this.#ofForm()],
    ['call that must be made', 2, () => this.#mustCall()],
    ['completion', 2, () => this.#completion()],
    ['abort', 4, () => this.#abort()],
    ['bad request', 4, () => this.#badRequest()],
    ['slow reader', 1, () => this.#slowReader()],
    ['broken connection', 2, () => this.#brokenConnection()],
    ['other routes', 2, () => this.#otherRoutes()],
  ]

  /** Does one thing. @returns what it was, and what was wrong with it */
  async act(): Promise<{ readonly name: string; readonly wrong?: string }> {
    const total = this.#actions.reduce((sum, [, weight]) => sum + weight, 0)
    let at = this.#random() * total
    const found = this.#actions.find(([, weight]) => {
      at -= weight
      return at < 0
    })
    const [name, , act] = found ?? this.#actions[0]
    try {
      await act()
      return { name }
    } catch (error) {
      return { name, wrong: `${name}: ${error instanceof Error ? error.message : error}` }
    }
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]
  }

  /** Asks, and asks again where too many wait. */
  async #ask(path: string, body: string | Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<Response> {
    while (true) {
      const response = await fetch(this.#plan.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        ...(signal && { signal }),
      })
      if (response.status !== 429) return response
      await response.arrayBuffer()
      if (!response.headers.get('retry-after')) throw new Wrong('429 without Retry-After')
      this.refused++
      await sleep(500 + 1500 * this.#random())
    }
  }

  async #answer(path: string, body: Body): Promise<Answer> {
    const response = await this.#ask(path, JSON.stringify(body))
    const text = await response.text()
    if (response.status !== 200) throw new Wrong(`status ${response.status}: ${text.slice(0, 200)}`)
    return JSON.parse(text) as Answer
  }

  #chat(body: Body): Promise<Answer> {
    return this.#answer('/v1/chat/completions', body)
  }

  async #greedy(): Promise<void> {
    const { body, content } = this.#pick(this.#plan.known)
    same((await this.#chat(body)).choices[0].message.content, content)
  }

  async #greedyStream(): Promise<void> {
    const { body, content } = this.#pick(this.#plan.known)
    const response = await this.#ask('/v1/chat/completions', JSON.stringify({ ...body, stream: true }))
    same(joined(await response.text()), content)
  }

  async #behindPrefix(): Promise<void> {
    const { prefix, known } = this.#plan
    const expected = known.find(({ body }) => body.model === prefix)
    const named = this.#random() < 0.5 ? { model: prefix } : { prefix: { id: prefix, strength: 1 } }
    same((await this.#chat({ ...PREFIX_QUESTION, ...named })).choices[0].message.content, expected?.content)
  }

  async #sampled(): Promise<void> {
    const n = 1 + Math.floor(this.#random() * 2)
    const body = {
      messages: [{ role: 'user', content: this.#pick(['你好', 'Tell me more', '写一首诗', 'a'.repeat(50)]) }],
      max_tokens: 1 + Math.floor(this.#random() * 10),
      temperature: 2 * this.#random(),
      top_p: 0.1 + 0.9 * this.#random(),
      top_k: Math.floor(this.#random() * 40),
      presence_penalty: this.#random(),
      seed: Math.floor(this.#random() * 1e9),
      n,
      logprobs: true,
      top_logprobs: Math.floor(this.#random() * 4),
    }
    const { choices, usage } = await this.#chat(body)
    if (choices.length !== n) throw new Wrong(`${choices.length} answers instead of ${n}`)
    if (usage.completion_tokens > n * body.max_tokens) throw new Wrong(`${usage.completion_tokens} tokens`)
  }

  async #ofForm(): Promise<void> {
    const [form, isRight] = this.#pick<readonly [Body, (text: string) => boolean]>([
      [{ structured_outputs: { choice: ['yes', '也许'] } }, (text) => ['yes', '也许'].includes(text)],
      [{ grammar: 'root ::= [0-9]{2} "-"' }, (text) => /^\d\d-$/.test(text)],
      [
        { json_schema: { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] } },
        (text) => typeof (JSON.parse(text) as { ok: unknown }).ok === 'boolean',
      ],
    ])
    const { choices } = await this.#chat({
      messages: [{ role: 'user', content: 'x' }],
      max_tokens: 40,
      ...form,
    })
    const [{ message, finish_reason }] = choices
    if (finish_reason !== 'stop' || !isRight(message.content ?? '')) {
      throw new Wrong(`${finish_reason}: ${message.content}`)
    }
  }

  async #mustCall(): Promise<void> {
    const body = { messages: [{ role: 'user', content: 'weather' }], tools: [TOOL], tool_choice: 'required' }
    const [{ message, finish_reason }] = (await this.#chat({ ...body, max_tokens: 60 })).choices
    if (finish_reason === 'length') return
    const [call] = message.tool_calls ?? []
    const { city } = JSON.parse(call.function.arguments) as { city: string }
    if (call.function.name !== 'get_weather' || !['Paris', '北京'].includes(city)) throw new Wrong(city)
  }

  async #completion(): Promise<void> {
    const body = { prompt: [5, 6, 7, 8], max_tokens: 3, temperature: 0, echo: true, logprobs: 1 }
    const [{ logprobs }] = (await this.#answer('/v1/completions', body)).choices
    const told = logprobs?.token_logprobs ?? []
    if (told.length < 5 || told[0] !== null) throw new Wrong(`log-probabilities ${JSON.stringify(told)}`)
  }

  /** Goes away before the answer, or within it. */
  async #abort(): Promise<void> {
    const controller = new AbortController()
    const messages = [{ role: 'user', content: 'Tell me a long story' }]
    const body = { messages, max_tokens: 100, ignore_eos: true, stream: this.#random() < 0.7 }
    const early = setTimeout(() => controller.abort(), 300 * this.#random())
    try {
      const response = await this.#ask('/v1/chat/completions', JSON.stringify(body), controller.signal)
      if (this.#random() < 0.5) clearTimeout(early)
      for await (const _ of response.body ?? []) break
      controller.abort()
    } catch (error) {
      if (!controller.signal.aborted) throw error
    } finally {
      clearTimeout(early)
    }
  }

  async #badRequest(): Promise<void> {
    const { path, body, status, code } = this.#pick(BAD_REQUESTS)
    const response = await this.#ask(path, body)
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    if (response.status !== status || error.code !== code) {
      throw new Wrong(`${response.status} ${error.code} instead of ${status} ${code}: ${error.message}`)
    }
  }

  /** Takes a little at a time, and gets all of it. */
  async #slowReader(): Promise<void> {
    const { body, content } = this.#pick(this.#plan.known)
    const response = await this.#ask('/v1/chat/completions', JSON.stringify({ ...body, stream: true }))
    let text = ''
    for await (const bytes of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += bytes
      await sleep(50 * this.#random())
    }
    same(joined(text), content)
  }

  /** Says half of something, or nothing that is HTTP, and goes or waits. */
  async #brokenConnection(): Promise<void> {
    const { hostname, port } = new URL(this.#plan.url)
    const head = 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n'
    const text = this.#pick([
      'hello\r\n\r\n',
      head,
      `${head}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"`,
    ])
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: this.#random() < 0.3 })
    await new Promise<void>((resolve) => {
      socket.on('error', () => resolve())
      socket.on('close', () => resolve())
      socket.on('connect', () => socket.write(text))
      socket.resume()
      const more = this.#random()
      if (more < 0.4) setTimeout(() => socket.destroy(), 400 * this.#random())
      else if (more < 0.7) setTimeout(() => socket.end(), 400 * this.#random())
      // Otherwise the server must end it.
      setTimeout(() => socket.destroy(), 20_000).unref()
    })
  }

  async #otherRoutes(): Promise<void> {
    const get = async (path: string) => {
      const response = await fetch(this.#plan.url + path)
      const text = await response.text()
      if (!response.ok) throw new Wrong(`${path}: ${response.status}`)
      return text
    }
    const models = JSON.parse(await get('/v1/models')) as { data: { id: string }[] }
    if (!models.data.some(({ id }) => id === this.#plan.prefix)) throw new Wrong('the prefix is no model')
    if (!(await get('/metrics')).includes('vllm:num_requests_running')) throw new Wrong('metrics are missing')
    await get('/health')
    const tokens = { tokens: [5, 6, 7] }
    const { prompt } = (await (await this.#ask('/detokenize', JSON.stringify(tokens))).json()) as {
      prompt: string
    }
    const again = await this.#ask('/tokenize', JSON.stringify({ prompt, add_special_tokens: false }))
    if (!Array.isArray(((await again.json()) as { tokens: number[] }).tokens)) throw new Wrong('no tokens')
  }
}

function same(found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return
  throw new Wrong(`${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`)
}

/** What the events of a stream say together. @throws Wrong for a stream that has no end, or ends with an error */
function joined(text: string): string {
  const events = text.split('\n\n').filter((event) => event.startsWith('data: '))
  if (events.pop() !== 'data: [DONE]') throw new Wrong(`a stream ends with ${text.slice(-200)}`)
  const chunks = events.map((event) => JSON.parse(event.slice('data: '.length)) as Chunk)
  if (!chunks.at(-1)?.choices[0]?.finish_reason) throw new Wrong('a stream without a reason of its end')
  return chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? '')).join('')
}
