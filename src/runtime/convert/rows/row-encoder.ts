import { isNode } from '../../../platform/index.js'
import { type EncodedRows, encodeRows, type RowJob } from './encode-rows.js'

/** Brings rows into other forms, several at a time where it can. */
export interface RowEncoder {
  /** Jobs that it works on at the same time. */
  readonly parallel: number
  encode(job: RowJob): Promise<EncodedRows>
  close(): Promise<void>
}

const IN_THIS_THREAD: RowEncoder = {
  parallel: 1,
  encode: async (job) => encodeRows(job),
  close: async () => {},
}

/** An encoder with threads of its own in Node, where the machine has cores for them; elsewhere one that works in this thread. */
export async function openRowEncoder(): Promise<RowEncoder> {
  if (!isNode) return IN_THIS_THREAD
  const { startEncoderThreads } = await import('./node/encoder-threads.js')
  return startEncoderThreads() ?? IN_THIS_THREAD
}
