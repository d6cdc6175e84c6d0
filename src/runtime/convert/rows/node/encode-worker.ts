/** The program of a thread that encodes rows. */
import { serveJobs } from '../../../../platform/index.js'
import { encodeRows } from '../encode-rows.js'

await serveJobs(encodeRows, ({ parts }) => parts.map(({ buffer }) => buffer))
