/** The one place where the page takes a model from the library. */
export { type ChatModel, loadModelInWorker as loadModel, type PrefixHandle } from '../../../src/index.js'
