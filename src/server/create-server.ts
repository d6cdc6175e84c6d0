import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { SOURCE_PLACE, type SourceLocation } from '../checkpoint/index.js'
import { BusyError, invalidOption, OptionError } from '../errors/index.js'
import {
  checkArgument,
  checkOptions,
  number,
  type OptionShape,
  text,
  wholeNumber,
  withMethods,
  z,
} from '../schema/index.js'
import { ApiError, badRequest, toApiError } from './api-error.js'
import { ApiKeys } from './api-keys.js'
import { answerBroken } from './broken-requests.js'
import { Catalog } from './catalog.js'
import type { ServerContext } from './context.js'
import { ServerMetrics } from './metrics.js'
import { resolveOptions, type ServerOptions } from './options.js'
import { adapterRoutes } from './routes/adapters.js'
import { chatRoutes } from './routes/chat.js'
import { completionRoutes } from './routes/completions.js'
import { healthRoute, metricsRoute } from './routes/health.js'
import { modelRoutes } from './routes/models.js'
import { tokenRoutes } from './routes/tokens.js'
import type { ServedModel } from './served-model.js'
import { CLIENT_GONE, Work } from './work.js'

export interface ListenOptions {
  /** Default 8000; 0 for any that is free. */
  readonly port?: number
  /** Default `127.0.0.1`: this machine alone. `0.0.0.0` for everybody who can reach it. */
  readonly host?: string
}

export interface CloseOptions {
  /** How long answers under way may go on, in milliseconds. Default 30 s. */
  readonly grace?: number
}

/** An HTTP server over a model that speaks OpenAI's protocol. */
export class ChatServer {
  readonly #app: FastifyInstance
  readonly #catalog: Catalog
  readonly #running: ReadonlySet<Work>
  readonly #ending: { now: boolean }

  /** @internal Use `createServer`. */
  constructor(app: FastifyInstance, catalog: Catalog, running: ReadonlySet<Work>, ending: { now: boolean }) {
    this.#app = app
    this.#catalog = catalog
    this.#running = running
    this.#ending = ending
  }

  /** The names that clients can ask for: the model's, and those of its prefixes. */
  get models(): readonly string[] {
    return this.#catalog.names
  }

  /** Requests that are being answered. */
  get running(): number {
    return this.#running.size
  }

  /**
   * Loads a P-Tuning v2 prefix, which clients can then ask for as a model of its own or in `prefix`.
   * @throws as `loadAdapter` of the model; `option.invalid` where the name is taken
   */
  async addPrefix(name: string, source: SourceLocation): Promise<void> {
    checkArgument('name', NAME, name)
    checkArgument('source', SOURCE_PLACE, source)
    if (this.models.includes(name)) throw invalidOption('name', name, 'a name that is not taken')
    await this.#catalog.load(name, source)
  }

  /**
   * Begins to listen.
   * @returns the address, as `http://127.0.0.1:8000`
   * @throws `busy.address` where somebody listens there already, `option.invalid` for an address that this machine has not
   */
  async listen(options: ListenOptions = {}): Promise<string> {
    checkOptions(LISTEN_SHAPE, options)
    const { port = 8000, host = '127.0.0.1' } = options
    try {
      await this.#app.listen({ port, host })
    } catch (error) {
      throw cannotListen(error as NodeJS.ErrnoException, host, port)
    }
    const { port: actual } = this.#app.server.address() as AddressInfo
    return `http://${host.includes(':') ? `[${host}]` : host}:${actual}`
  }

  /** Ends the server: takes nothing new, lets answers under way end, and ends those that take longer. The model stays. */
  async close(options: CloseOptions = {}): Promise<void> {
    checkOptions(CLOSE_SHAPE, options)
    const { grace = 30_000 } = options
    this.#ending.now = true
    const patience = setTimeout(() => {
      for (const work of this.#running) work.abort(serverEnds())
    }, grace)
    try {
      await this.#app.close()
    } finally {
      clearTimeout(patience)
    }
  }
}

/** A name that clients can write into a request, as `--prefix` takes it. */
const NAME = text.check(z.minLength(1, { error: 'a name' }), z.maxLength(200, { error: 'a shorter name' }))
const LISTEN_SHAPE: OptionShape<ListenOptions> = { port: wholeNumber(0, 65_535), host: text }
const CLOSE_SHAPE: OptionShape<CloseOptions> = {
  grace: number((value) => value >= 0 && value < 2 ** 31, 'milliseconds, from 0 to below 2^31'),
}

/** Why nobody can be heard at an address. */
function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const address = `${host}:${port}`
  if (error.code === 'EADDRINUSE') {
    return new BusyError(
      'busy.address',
      `Another program listens at ${address} already. Give another port; 0 takes any that is free.`,
      { cause: error },
    )
  }
  return new OptionError('option.invalid', `Cannot listen at ${address}: ${error.message}.`, {
    cause: error,
    details: {
      option: 'host',
      value: address,
      expected: 'an address of this machine, and a port that is allowed',
    },
  })
}

function serverEnds(): ApiError {
  return new ApiError(503, 'server_error', 'server_ending', 'The server ends. Ask again, or ask another one.')
}

function clientGone(): ApiError {
  return new ApiError(CLIENT_GONE, 'invalid_request_error', 'client_gone', 'The client went away.')
}

/** The methods of a model that requests need. */
const MODEL = withMethods<ServedModel>(
  ['chat', 'generate', 'loadAdapter', 'scores', 'unloadAdapter'],
  'a model of loadModel',
)

/**
 * Makes a server over a model. Requests are answered side by side, as many as the model was loaded for (`maxSequences`);
 * more wait, up to `maxWaiting`, and the rest is refused with status 429. Who closes the server also disposes of the model.
 */
export async function createServer(model: ServedModel, options: ServerOptions = {}): Promise<ChatServer> {
  checkArgument('model', MODEL, model)
  const resolved = resolveOptions(options)
  const { timeouts, bodyLimit, name, corsOrigins, apiKeys } = resolved
  const catalog = new Catalog(model, name)
  const context: ServerContext = {
    model,
    catalog,
    options: resolved,
    metrics: new ServerMetrics(model, name),
  }
  const running = new Set<Work>()
  const ending = { now: false }
  const app = fastify({
    bodyLimit,
    requestTimeout: timeouts.request,
    http: {
      headersTimeout: timeouts.headers,
      // How often sockets are looked at that take too long.
      connectionsCheckingInterval: Math.min(timeouts.headers, timeouts.request, 10_000) / 2,
    },
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBroken,
    routerOptions: { maxParamLength: 256 },
  })
  readBodies(app)
  followRequests(app, context, running, ending)
  app.setErrorHandler((error, { work }, reply) => {
    const { constraintField } = work
    const failure = toApiError(error, { retryAfter: context.metrics.retryAfter, constraintField })
    work.error = failure
    return reply.status(failure.status).headers(failure.headers).send(failure.body)
  })
  app.setNotFoundHandler((request) => {
    const message = `There is no ${request.method} ${request.url.split('?')[0]} here.`
    throw new ApiError(404, 'invalid_request_error', 'unknown_url', message)
  })
  // Before the keys: a browser sends none when it asks whether it may.
  if (corsOrigins.length > 0) {
    const { default: cors } = await import('@fastify/cors')
    const origin = corsOrigins.includes('*') ? '*' : [...corsOrigins]
    await app.register(cors, { origin, methods: ['GET', 'POST', 'DELETE'], maxAge: 600 })
  }
  healthRoute(app, context, () => ending.now)
  const keys = new ApiKeys(apiKeys)
  await app.register(async (guarded) => {
    guarded.addHook('onRequest', async ({ headers }) => keys.check(headers.authorization))
    chatRoutes(guarded, context)
    completionRoutes(guarded, context)
    adapterRoutes(guarded, context)
    modelRoutes(guarded, context)
    tokenRoutes(guarded, context)
    metricsRoute(guarded, context)
  })
  return new ChatServer(app, catalog, running, ending)
}

/** Bodies are JSON in UTF-8; bytes that are none are refused, not replaced. */
function readBodies(app: FastifyInstance): void {
  const utf8 = new TextDecoder('utf-8', { fatal: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, bytes: Buffer) => {
    let text: string
    try {
      text = utf8.decode(bytes)
    } catch {
      throw badRequest('invalid_utf8', 'The body is not UTF-8.')
    }
    try {
      return JSON.parse(text) as unknown
    } catch (error) {
      throw badRequest('invalid_json', `The body is not JSON: ${(error as Error).message}.`)
    }
  })
}

/** Knows every request from its coming to its end: ends its work when its client goes away, counts it and logs it. */
function followRequests(
  app: FastifyInstance,
  { options, metrics }: ServerContext,
  running: Set<Work>,
  ending: { readonly now: boolean },
): void {
  app.decorateRequest('work', null as unknown as Work)
  app.addHook('onRequest', async (request, reply) => {
    const work = new Work()
    request.work = work
    running.add(work)
    reply.header('x-request-id', work.id)
    const { raw } = reply
    raw.once('close', () => {
      running.delete(work)
      const complete = raw.writableFinished
      if (!complete) work.abort(clientGone())
      const status = complete ? raw.statusCode : CLIENT_GONE
      metrics.observe(work, request.routeOptions.url ?? 'unknown', status)
      options.onRequest(work.record(request, status, options.logContents))
      // A connection that is kept alive would hold the end up.
      if (ending.now) setImmediate(() => app.server.closeIdleConnections())
    })
  })
}
