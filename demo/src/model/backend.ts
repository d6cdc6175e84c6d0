/** The one place where the page takes a model from the library. */

export { loadModelInWorker as loadModel, type WorkerModel } from '../../../src/browser.js'
export type { Model, PrefixHandle } from '../../../src/index.js'
