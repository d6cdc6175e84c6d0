export { isNode } from './is-node.js'
export { openWorkers, ownedBytes, serveJobs, type Workers } from './workers.js'
