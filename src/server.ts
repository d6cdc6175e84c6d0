/**
 * An OpenAI-compatible HTTP server over a model, for Node.
 *
 * ```ts
 * const server = await createServer(await loadModel('models/tiny'))
 * console.log(await server.listen({ port: 8000 }))
 * ```
 *
 * @packageDocumentation
 */
export {
  type ChatServer,
  type CloseOptions,
  createServer,
  type ListenOptions,
  type RequestRecord,
  type ServedModel,
  type ServerOptions,
  type ServerTimeouts,
} from './server/index.js'
