/** Clients that go away, are slow, or never finish what they say. */
import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type TestServer, testServer, until } from './testing/serve.js'

const LONG = `\n${'word '.repeat(400)}`
const server = await testServer(
  {
    answer: ({ text }) => (text.includes('wide') ? `\n${'一'.repeat(450)}` : LONG),
    maxSequences: 2,
    stepMs: 2,
  },
  { timeouts: { stall: 400, ping: 40 } },
)
/** One that waits for nobody's request long. */
const hasty = await testServer({}, { timeouts: { headers: 300, request: 600 } })

/** A connection that says exactly what it is told. */
async function raw(
  text: string,
  options: { halfOpen?: boolean; to?: TestServer } = {},
): Promise<{ socket: Socket; said: () => string }> {
  const { port } = new URL((options.to ?? server).url)
  const socket = connect({ port: Number(port), allowHalfOpen: options.halfOpen ?? false })
  let said = ''
  socket.on('data', (bytes) => {
    said += bytes
  })
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.write(text)
  return { socket, said: () => said }
}

/** The error in an answer, in OpenAI's shape. */
const errorIn = (said: string) => (JSON.parse(said.split('\r\n\r\n')[1]) as { error: object }).error

const closed = (socket: Socket) => until(() => socket.closed, 8000)

function requestText(body: object, more = ''): string {
  const text = JSON.stringify(body)
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(text)}\r\n${more}\r\n${text}`
}

const question = (content: string) => ({ messages: [{ role: 'user', content }] })

describe('a client that goes away', () => {
  it.each([true, false])('ends its sequence at once (stream: %s)', async (stream) => {
    const controller = new AbortController()
    const response = server.chat('long', { stream }, { signal: controller.signal })
    await until(() => server.model.load.running === 1)
    if (stream) await response
    controller.abort()
    await response.catch(() => {})
    await until(() => server.model.load.running === 0, 500)
    await until(() => server.records.at(-1)?.status === 499)
    expect(server.records.at(-1)).toMatchObject({ route: '/v1/chat/completions', status: 499 })
  })

  it('while it waits for a place leaves the queue', async () => {
    const controllers = [0, 1, 2].map(() => new AbortController())
    const answers = controllers.map(({ signal }) => server.chat('long', {}, { signal }).catch(() => {}))
    await until(() => server.model.load.waiting === 1)
    controllers[2].abort()
    await until(() => server.model.load.waiting === 0, 500)
    for (const controller of controllers) controller.abort()
    await Promise.all(answers)
    await until(() => server.model.load.running === 0)
  })

  it('by closing its half of the connection is gone, too', async () => {
    const { socket } = await raw(requestText({ ...question('long'), stream: true }), { halfOpen: true })
    await until(() => server.model.load.running === 1)
    socket.end()
    await until(() => server.model.load.running === 0, 1000)
    socket.destroy()
  })
})

describe('a slow reader', () => {
  it('stops nobody else', async () => {
    const body = { ...question('wide'), stream: true, n: 8 }
    const { socket } = await raw(requestText(body))
    socket.pause()
    await until(() => server.model.load.running === 2)
    // What it does not take fills buffers first; whoever reads is served meanwhile.
    const other = await server.chat('hello', { max_tokens: 5 })
    expect(other.status).toBe(200)
    socket.destroy()
    await until(() => server.model.load.running === 0)
  })
})

describe('a stream that has nothing to say', () => {
  it('sends pings, which are comments', async () => {
    const others = [new AbortController(), new AbortController()]
    const busy = others.map(({ signal }) => server.chat('long', {}, { signal }).catch(() => {}))
    await until(() => server.model.load.running === 2)
    const { socket, said } = await raw(requestText({ ...question('hello'), stream: true }))
    await until(() => said().includes(': ping\n\n'), 4000)
    expect(said()).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(said()).toMatch(/content-type: text\/event-stream/i)
    socket.destroy()
    for (const other of others) other.abort()
    await Promise.all(busy)
    await until(() => server.model.load.running === 0)
  })
})

describe('a connection that never finishes what it says', () => {
  it.each([
    ['its headers', 'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nX-'],
    [
      'its body',
      'POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"',
    ],
  ])('%s is closed', async (_, text) => {
    const { socket, said } = await raw(text, { to: hasty })
    const drip = setInterval(() => socket.writable && socket.write('a'), 50)
    await closed(socket)
    clearInterval(drip)
    expect(said()).toMatch(/^HTTP\/1\.1 408/)
    expect(errorIn(said())).toMatchObject({ type: 'invalid_request_error', code: 'request_timeout' })
  })

  it('or is no HTTP at all is answered with 400', async () => {
    const { socket, said } = await raw('hello\r\n\r\n')
    await closed(socket)
    expect(said()).toMatch(/^HTTP\/1\.1 400/)
    expect(errorIn(said())).toMatchObject({ code: 'invalid_http' })
  })

  it('or has no end of headers is answered with 431', async () => {
    const { socket, said } = await raw(`GET / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`)
    await closed(socket)
    expect(said()).toMatch(/^HTTP\/1\.1 431/)
    expect(errorIn(said())).toMatchObject({ code: 'headers_too_large' })
  })

  it('disturbs nobody', async () => {
    expect((await server.chat('hello', { max_tokens: 3 })).status).toBe(200)
    await until(() => server.server.running === 0)
  })
})
