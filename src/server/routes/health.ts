import type { FastifyInstance } from 'fastify'
import type { ServerContext } from '../context.js'

/** `GET /health`, which needs no key, and `GET /metrics`. */
export function healthRoute(app: FastifyInstance, { model }: ServerContext, isEnding: () => boolean): void {
  let lost: string | undefined
  model.lost.then(({ message }) => {
    lost = message
  })
  app.get('/health', async (_, reply) => {
    const status = lost !== undefined ? 'device lost' : isEnding() ? 'ending' : 'ok'
    return reply.status(status === 'ok' ? 200 : 503).send({ status })
  })
}

export function metricsRoute(app: FastifyInstance, { metrics: { registry } }: ServerContext): void {
  app.get('/metrics', async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()))
}
