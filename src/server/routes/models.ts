import type { FastifyInstance } from 'fastify'
import { unknownModel } from '../api-error.js'
import type { Catalog, ServedPrefix } from '../catalog.js'
import type { ServerContext } from '../context.js'

/** `GET /v1/models` and `GET /v1/models/:id` */
export function modelRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get('/v1/models', async () => ({ object: 'list', data: listModels(context) }))

  app.get<{ Params: { '*': string } }>('/v1/models/*', async ({ params }) => {
    const model = listModels(context).find(({ id }) => id === params['*'])
    if (!model) throw unknownModel(params['*'], context.catalog.names)
    return model
  })
}

function listModels({ catalog, model: { contextLength } }: ServerContext) {
  const base = describeModel(catalog.name, catalog.created, contextLength)
  return [base, ...catalog.prefixes.map((served) => describePrefix(served, catalog, contextLength))]
}

/** The length of the context is there under the names that vLLM's and OpenRouter's clients read. */
function describeModel(id: string, created: number, contextLength: number) {
  const owner = { object: 'model', owned_by: 'chatglm-webgpu' } as const
  return { id, ...owner, created, context_length: contextLength, max_model_len: contextLength }
}

/** A prefix, or a LoRA adapter, is a model of its own, behind the one that it was trained for. */
function describePrefix(
  { name, created, prefix, strength }: ServedPrefix,
  catalog: Catalog,
  contextLength: number,
) {
  const model = describeModel(name, created, contextLength)
  const adapter =
    prefix.kind === 'lora' ? { lora: { strength } } : { prefix: { length: prefix.length, strength } }
  return { ...model, root: prefix.name, parent: catalog.name, ...adapter }
}
