/** Both workers in a file that is part of the page's bundle; see `worker/start-worker.ts`. */
import { expose } from 'comlink'
import { StoreHost } from './store/store-host.js'
import { ModelHost } from './worker/model-host.js'
import { READY, type WorkerName } from './worker/start-worker.js'

/** Where this part of the bundle is. */
export const url = import.meta.url

const HOSTS: Readonly<Record<WorkerName, new () => object>> = {
  'chatglm-webgpu': ModelHost,
  'chatglm-store': StoreHost,
}

const { name } = globalThis as { name?: string }
// On the page, and in workers of its own, this is only imported.
if (typeof document === 'undefined' && name !== undefined && Object.hasOwn(HOSTS, name)) {
  expose(new HOSTS[name as WorkerName]())
  postMessage(READY)
}
