import { afterAll } from 'vitest'
import { type ChatServer, createServer, type RequestRecord, type ServerOptions } from '../index.js'
import { ScriptedModel, type ScriptedModelOptions } from './scripted-model.js'

/** A server over a scripted model, and how to ask it. */
export class TestServer {
  readonly records: RequestRecord[] = []

  constructor(
    readonly model: ScriptedModel,
    readonly server: ChatServer,
    readonly url: string,
    records: RequestRecord[],
  ) {
    this.records = records
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, { headers })
  }

  post(path: string, body: unknown, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, {
      method: 'POST',
      body:
        typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
      ...init,
      headers: { 'content-type': 'application/json', ...init.headers },
    })
  }

  /** Asks in a chat. @param more fields beside the messages */
  chat(content: string, more: object = {}, init: RequestInit = {}): Promise<Response> {
    return this.post('/v1/chat/completions', { messages: [{ role: 'user', content }], ...more }, init)
  }
}

/** A server that ends with the tests of the file. */
export async function testServer(
  modelOptions: ScriptedModelOptions = {},
  options: ServerOptions = {},
): Promise<TestServer> {
  const model = new ScriptedModel(modelOptions)
  const records: RequestRecord[] = []
  const server = await createServer(model, { onRequest: (record) => records.push(record), ...options })
  const url = await server.listen({ port: 0 })
  afterAll(async () => {
    await server.close({ grace: 0 })
    model.dispose()
  })
  return new TestServer(model, server, url, records)
}

/** The JSON of an answer. */
export async function jsonOf<Body>(response: Promise<Response>): Promise<Body> {
  return (await (await response).json()) as Body
}

/** The events of a stream, without the comments. */
export async function eventsOf<Event>(response: Promise<Response>): Promise<(Event | '[DONE]')[]> {
  const text = await (await response).text()
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: '))
    .map((block) => block.slice('data: '.length))
    .map((data) => (data === '[DONE]' ? data : (JSON.parse(data) as Event)))
}

/** An answer as OpenAI's errors are. */
export interface ErrorBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: string
    readonly code: string
  }
}

/** Status and error of an answer. */
export async function errorOf(response: Promise<Response>) {
  const { status, headers } = await response
  return { status, headers, ...(await jsonOf<ErrorBody>(response.then((one) => one.clone()))).error }
}

/** Waits until something holds. */
export async function until(holds: () => boolean, milliseconds = 5000): Promise<void> {
  const end = performance.now() + milliseconds
  while (!holds()) {
    if (performance.now() > end) throw new Error('It did not happen in time.')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
