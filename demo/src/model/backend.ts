/** The one place where the page takes a model from the library. */
export { loadModelInWorker as loadModel, type PrefixHandle, type WorkerModel } from '../../../src/index.js'
