/** The script of the worker that `loadModelInWorker` starts. */
import { expose } from 'comlink'
import { ModelHost } from './model-host.js'

expose(new ModelHost())
