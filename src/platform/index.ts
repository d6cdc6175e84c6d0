export { isNode } from './is-node.js'
export type { PlatformClass } from './platform-class.js'
export { openWorkers, ownedBytes, serveJobs, type Workers } from './workers.js'
