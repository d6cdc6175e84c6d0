/** The script of the worker in which a `ModelStore` downloads and verifies. */
import { expose } from 'comlink'
import { READY } from '../worker/start-worker.js'
import { StoreHost } from './store-host.js'

expose(new StoreHost())
postMessage(READY)
