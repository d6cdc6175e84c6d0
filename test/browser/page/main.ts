/** Gives tests the library as a page imports it: `chatglm` in what they evaluate. */
import * as browser from '../../../src/browser.js'
import * as library from '../../../src/index.js'
import { CONTRACT } from '../../model-contract.js'

declare global {
  var chatglm: typeof library & typeof browser
  /** What every model does. */
  var contract: typeof CONTRACT
  /** A model that several tests use: loading one compiles for seconds. */
  var model: browser.WorkerModel
  /** A worker of the page's own, whose GPU can be taken away. */
  var losableWorker: Worker
  /** Starts a worker that is told the name of a stored item and answers how long reading it takes. */
  var storeReader: () => Worker
}

globalThis.contract = CONTRACT
globalThis.chatglm = { ...library, ...browser }
globalThis.losableWorker = new Worker(new URL('./losable-worker.ts', import.meta.url), { type: 'module' })
globalThis.storeReader = () => new Worker(new URL('./store-reader.ts', import.meta.url), { type: 'module' })
