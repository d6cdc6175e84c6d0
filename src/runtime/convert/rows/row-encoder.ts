import { openWorkers, type Workers } from '../../../platform/index.js'
import { type EncodedRows, encodeRows, type RowJob } from './encode-rows.js'

/** Brings rows into other forms. */
export type RowEncoder = Workers<RowJob, EncodedRows>

/** An encoder, which is to be closed. */
export function openRowEncoder(): Promise<RowEncoder> {
  return openWorkers('encode-worker', encodeRows)
}
