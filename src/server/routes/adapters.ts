import type { FastifyInstance } from 'fastify'
import { ApiError } from '../api-error.js'
import type { ServedPrefix } from '../catalog.js'
import type { ServerContext } from '../context.js'
import { loadAdapterRequest, weighAdapterRequest } from '../requests/adapter-requests.js'
import { checkRequest } from '../requests/check.js'

/** `/v1/adapters`: lists prefixes, loads one, changes the strength of one, takes one away. */
export function adapterRoutes(
  app: FastifyInstance,
  { catalog, options: { manageAdapters } }: ServerContext,
): void {
  /** Loading reads whatever path a client names: only who starts the server can allow that. */
  const mayManage = () => {
    if (manageAdapters) return
    const message = 'This server lets no client load or change adapters.'
    throw new ApiError(403, 'permission_error', 'adapters_fixed', message)
  }

  app.get('/v1/adapters', async () => ({ object: 'list', data: catalog.prefixes.map(describeAdapter) }))

  app.post('/v1/adapters', async (request, reply) => {
    mayManage()
    const { id, source, strength } = checkRequest(loadAdapterRequest, request.body)
    return reply.status(201).send(describeAdapter(await catalog.load(id, source, strength)))
  })

  app.post<{ Params: { id: string } }>('/v1/adapters/:id', async (request) => {
    mayManage()
    const { strength } = checkRequest(weighAdapterRequest, request.body)
    return describeAdapter(catalog.weigh(request.params.id, strength))
  })

  app.delete<{ Params: { id: string } }>('/v1/adapters/:id', async ({ params }) => {
    mayManage()
    await catalog.unload(params.id)
    return { id: params.id, object: 'adapter', deleted: true }
  })
}

function describeAdapter({ name, created, strength, prefix }: ServedPrefix) {
  return {
    id: name,
    object: 'adapter',
    type: prefix.kind,
    created,
    source: prefix.name,
    length: prefix.length,
    strength,
  }
}
