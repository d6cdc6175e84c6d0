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
export type { WorkerFinetuneOptions } from './worker/protocol.js'
export { WorkerModel } from './worker/worker-model.js'
