/** Who may ask, what is logged, and how the server ends. */
import { describe, expect, it } from 'vitest'
import { errorOf, eventsOf, jsonOf, testServer, until } from './testing/serve.js'

describe('a server with keys', async () => {
  const server = await testServer(
    {},
    { apiKeys: ['first', 'second'], corsOrigins: ['https://chat.example.org'] },
  )
  const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

  it('lets in who sends one of them', async () => {
    for (const key of ['first', 'second'])
      expect((await server.chat('hello', {}, bearer(key))).status).toBe(200)
    for (const init of [bearer('third'), bearer(''), { headers: { authorization: 'first' } }]) {
      expect((await server.chat('hello', {}, init)).status).toBe(401)
    }
    expect(await errorOf(server.chat('hello'))).toMatchObject({
      status: 401,
      type: 'authentication_error',
      code: 'invalid_api_key',
    })
    expect(await errorOf(server.get('/metrics'))).toMatchObject({ status: 401 })
  })

  it('says to everybody whether it is well', async () => {
    expect((await server.get('/health')).status).toBe(200)
  })

  it('answers the question of a browser before its key, and to its origins alone', async () => {
    const preflight = (origin: string) =>
      fetch(`${server.url}/v1/chat/completions`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization',
        },
      })
    const allowed = await preflight('https://chat.example.org')
    expect(allowed.status).toBe(204)
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://chat.example.org')
    expect(
      (await preflight('https://evil.example.org')).headers.get('access-control-allow-origin'),
    ).toBeNull()
    const headers = { ...bearer('first').headers, origin: 'https://chat.example.org' }
    const stream = await server.chat('hello', { stream: true }, { headers })
    expect(stream.headers.get('access-control-allow-origin')).toBe('https://chat.example.org')
    await stream.text()
  })
})

describe('the log', async () => {
  const plain = await testServer({ answer: () => '\nsecret answer' })
  const open = await testServer({ answer: () => '\nsecret answer' }, { logContents: true })

  it('has numbers and names of a request', async () => {
    await plain.server.addPrefix('ads', 'prefixes/ads')
    await (await plain.chat('secret question', { model: 'ads', stream: true })).text()
    await until(() => plain.records.length === 1)
    expect(plain.records[0]).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      id: expect.any(String),
      method: 'POST',
      route: '/v1/chat/completions',
      status: 200,
      milliseconds: expect.any(Number),
      client: '127.0.0.1',
      model: 'ads',
      prefix: 'ads',
      stream: true,
      promptTokens: expect.any(Number),
      cachedTokens: expect.any(Number),
      completionTokens: expect.any(Number),
      firstTokenMilliseconds: expect.any(Number),
      finishReasons: ['stop'],
    })
    expect(JSON.stringify(plain.records)).not.toContain('secret')
  })

  it('has the code of an error', async () => {
    await plain.chat('hello', { temperature: 'hot' })
    await until(() => plain.records.length === 2)
    expect(plain.records[1]).toMatchObject({ status: 400, error: 'invalid_value' })
  })

  it('has contents only where they were asked for', async () => {
    await (await open.chat('secret question')).text()
    await until(() => open.records.length === 1)
    expect(JSON.stringify(open.records)).toContain('secret question')
    expect(open.records[0].answers).toEqual([expect.stringContaining('secret answer')])
  })

  it('has the id that the client is told', async () => {
    const response = await plain.chat('hello')
    await until(() => plain.records.length === 3)
    expect(response.headers.get('x-request-id')).toBe(plain.records[2].id)
  })
})

describe('an error of the server itself', async () => {
  const server = await testServer()

  it('is told in general terms, and to the log with its cause', async () => {
    server.model.engine.failure = new Error('a detail that is nobody else`s business')
    const error = await errorOf(server.chat('hello'))
    expect(error).toMatchObject({ status: 500, type: 'server_error', code: 'internal_error' })
    expect(error.message).not.toContain('detail')
    await until(() => server.records.length === 1)
    expect(server.records[0].cause).toContain('a detail')
  })
})

describe('a server that ends', () => {
  const answer = () => `\n${'word '.repeat(60)}`

  it('lets answers end, refuses new ones, and closes connections that are kept alive', async () => {
    const server = await testServer({ answer, stepMs: 3 })
    const running = eventsOf<{ choices: { finish_reason: string | null }[] }>(
      server.chat('hello', { stream: true }),
    )
    await until(() => server.model.load.running === 1)
    const before = performance.now()
    const closing = server.server.close({ grace: 20_000 })
    await expect(server.chat('hello')).rejects.toThrow()
    const events = await running
    expect(events.at(-1)).toBe('[DONE]')
    expect(events.at(-2)).toMatchObject({ choices: [{ finish_reason: 'stop' }] })
    await closing
    expect(performance.now() - before).toBeLessThan(4000)
  })

  it('ends those that take longer than the grace', async () => {
    const server = await testServer({ answer: () => `\n${'word '.repeat(400)}`, stepMs: 10 })
    const running = eventsOf(server.chat('hello', { stream: true }))
    const whole = jsonOf(server.chat('hello'))
    await until(() => server.model.load.running === 2)
    await server.server.close({ grace: 50 })
    expect((await running).at(-1)).toMatchObject({ error: { code: 'server_ending' } })
    expect(await whole).toMatchObject({ error: { code: 'server_ending' } })
    await until(() => server.model.load.running === 0)
  })
})
