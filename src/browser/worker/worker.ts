/** The script of the worker that `loadModelInWorker` starts. */
import { expose } from 'comlink'
import { ModelHost } from './model-host.js'
import { READY } from './start-worker.js'

expose(new ModelHost())
postMessage(READY)
