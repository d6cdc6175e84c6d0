export { ChatServer, type CloseOptions, createServer, type ListenOptions } from './create-server.js'
export type { ServerOptions, ServerTimeouts } from './options.js'
export type { RequestRecord } from './request-log.js'
export type { ServedModel } from './served-model.js'
