/**
 * For web pages: models in a Web Worker, and models that are kept in the browser.
 *
 * ```ts
 * const store = await ModelStore.open()
 * const model = await loadModelInWorker(store.source('tiny'))
 * ```
 *
 * @packageDocumentation
 */
export {
  type DownloadOptions,
  type LoadModelInWorkerOptions,
  loadModelInWorker,
  ModelStore,
  type StoredItem,
  type StoredKind,
  type StoredOutput,
  type StoreOptions,
  type StoreProgress,
  type StoreUsage,
  type StoreWorkOptions,
  type WorkerFinetuneOptions,
  type WorkerModel,
} from './browser/index.js'
export { StoreError } from './errors/index.js'
