export { type DownloadOptions, ModelStore } from './store/model-store.js'
export { StoredOutput } from './store/stored-output.js'
export type {
  StoredItem,
  StoredKind,
  StoreOptions,
  StoreProgress,
  StoreUsage,
  StoreWorkOptions,
} from './store/types.js'
export { type LoadModelInWorkerOptions, loadModelInWorker } from './worker/load-model-in-worker.js'
export { ModelHost } from './worker/model-host.js'
export { ModelLine } from './worker/model-line.js'
export { type Outcome, unwrap, wrapped } from './worker/outcome.js'
export type { Answer, WorkerFinetuneOptions } from './worker/protocol.js'
export { packSource } from './worker/source-transport.js'
export type { CallId } from './worker/worker-line.js'
export { WorkerModel } from './worker/worker-model.js'
