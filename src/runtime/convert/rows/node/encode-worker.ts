/** The program of a thread of `EncoderThreads`: answers each job with its rows. */
import { parentPort } from 'node:worker_threads'
import { encodeRows, type RowJob } from '../encode-rows.js'

parentPort?.on('message', (job: RowJob) => {
  const rows = encodeRows(job)
  parentPort!.postMessage(
    rows,
    rows.parts.map(({ buffer }) => buffer),
  )
})
