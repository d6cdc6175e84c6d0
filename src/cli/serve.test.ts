import { describe, expect, it } from 'vitest'
import type { ServerOptions } from '../server.js'
import type { ServerHandle } from './library.js'
import { run } from './program.js'
import { StubModel, stubLibrary, type TestIo, testIo } from './testing.js'

/** A server that writes down what it was told. */
class StubServer implements ServerHandle {
  readonly prefixes: [string, unknown][] = []
  options: ServerOptions = {}
  listening: unknown
  closing: unknown
  running = 0
  listenError: Error | undefined

  get models(): readonly string[] {
    return [this.options.name ?? '', ...this.prefixes.map(([name]) => name)]
  }

  async addPrefix(name: string, source: unknown): Promise<void> {
    this.prefixes.push([name, source])
  }

  async listen(options: { host?: string; port?: number } = {}): Promise<string> {
    if (this.listenError) throw this.listenError
    this.listening = options
    return `http://${options.host}:${options.port}`
  }

  async close(options: unknown): Promise<void> {
    this.closing = options
  }
}

async function serve(
  args: readonly string[],
  { server = new StubServer(), model = new StubModel(), io = testIo(), during = (_: TestIo) => {} } = {},
) {
  const loaded: unknown[] = []
  const library = stubLibrary(model, {
    loadModel: async (source, options) => {
      loaded.push(source, options)
      return model
    },
  })
  const loadServer = async () => ({
    createServer: async (_: unknown, options: ServerOptions) => Object.assign(server, { options }),
  })
  const ended = run(['serve', ...args], io, library, loadServer)
  while (server.listening === undefined && server.listenError === undefined && io.stderr.text === '') {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await new Promise((resolve) => setTimeout(resolve, 20))
  during(io)
  io.interrupt()
  return { code: await ended, server, model, loaded, out: io.stdout.text, err: io.stderr.text }
}

describe('chatglm serve', () => {
  it('says where it is, what it has and how to ask it, and ends at Ctrl-C', async () => {
    const { code, server, model, err } = await serve([
      'models/chatglm3-6b-int4',
      '--prefix',
      'ads=output/ads',
    ])
    expect(code).toBe(0)
    expect(err).toContain('http://127.0.0.1:8000/v1')
    expect(err).toContain('chatglm3-6b-int4, ads')
    expect(err).toMatch(/^curl http:\S+\/v1\/chat\/completions .* -d '\{"model":"chatglm3-6b-int4".*\}'$/m)
    expect(server).toMatchObject({ closing: { grace: 30_000 }, prefixes: [['ads', 'output/ads']] })
    expect(model.disposed).toBe(true)
  })

  it('gives the server its options and the model its sizes', async () => {
    const { server, loaded } = await serve([
      ...['tiny', '--name', 'small', '--port', '0', '--host', '0.0.0.0', '--api-key', 'a', '--api-key', 'b'],
      ...[
        '--cors',
        'https://chat.example.org',
        '--max-tokens',
        '99',
        '--max-sequences',
        '8',
        '--context',
        '512',
      ],
      ...['--max-waiting', '3', '--grace', '2', '--prefix', 'poem'],
    ])
    expect(server.options).toMatchObject({
      name: 'small',
      apiKeys: ['a', 'b'],
      corsOrigins: ['https://chat.example.org'],
      maxTokens: 99,
      logContents: false,
    })
    expect(server.listening).toEqual({ port: 0, host: '0.0.0.0' })
    expect(server.closing).toEqual({ grace: 2000 })
    expect(server.prefixes).toEqual([['poem', expect.stringMatching(/models.tiny.prefixes.poem$/)]])
    expect(loaded[1]).toMatchObject({
      maxSequences: 8,
      maxWaiting: 3,
      contextLength: 512,
      cacheTokens: 2 * (512 + 128),
    })
  })

  it('takes keys from the environment, and warns where everybody can ask', async () => {
    const io = Object.assign(testIo(), { env: { NO_COLOR: '1', CHATGLM_API_KEY: 'one,two' } })
    const { server } = await serve(['tiny'], { io })
    expect(server.options.apiKeys).toEqual(['one', 'two'])
    const open = await serve(['tiny', '--host', '0.0.0.0'])
    expect(open.err).toContain('warning: everybody who can reach this machine can ask')
  })

  it('logs requests: as JSON, and as lines for people on a screen', async () => {
    const record = {
      time: '2026-01-01T00:00:00.000Z',
      id: 'id',
      method: 'POST',
      route: '/v1/chat/completions',
      status: 200,
      milliseconds: 1234,
      client: '127.0.0.1',
      model: 'tiny',
      promptTokens: 12,
      completionTokens: 34,
    }
    const server = new StubServer()
    const during = () => server.options.onRequest?.(record)
    const { out } = await serve(['tiny'], { server, during })
    expect(JSON.parse(out)).toEqual(record)
    const onScreen = new StubServer()
    const io = testIo({ terminal: true })
    const screen = await serve(['tiny'], {
      server: onScreen,
      io,
      during: () => onScreen.options.onRequest?.(record),
    })
    expect(screen.out).toMatch(/200 POST \/v1\/chat\/completions tiny, 12 → 34 tokens, 1\.2 s\n$/)
  })

  it('says when the port is taken', async () => {
    const server = new StubServer()
    server.listenError = Object.assign(new Error('listen'), { code: 'EADDRINUSE' })
    const { code, err, model } = await serve(['tiny'], { server })
    expect(code).toBe(1)
    expect(err).toContain('Port 8000 of 127.0.0.1 is taken: give another one with --port.')
    expect(model.disposed).toBe(true)
  })
})
