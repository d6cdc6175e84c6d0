/** The program of a process that works on one card for another process. */
import { CardHost } from './card-host.js'
import { serveProcess } from './serve-process.js'

serveProcess(new CardHost())
