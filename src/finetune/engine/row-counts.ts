/** How many rows there are in all, and in each chunk, for kernels that read it from a buffer. */
import type { BufferRange } from '../../gpu/index.js'
import type { TrainingShape } from './training-shape.js'

const WORD = 4
/** Words from one count to the next: ranges of buffers begin at multiples of 256 bytes. */
const COUNT_STRIDE = 64

/** The chunks that rows, and targets, go through in. */
export function chunkCounts({ maxRows, chunkRows, maxTokens, headRows }: TrainingShape) {
  return { rows: maxRows / chunkRows, targets: Math.ceil(maxTokens / headRows) }
}

/** The buffer of counts: its size, and the range of one of them. */
export function countRange(shape: TrainingShape) {
  const chunks = chunkCounts(shape)
  const at = (buffer: GPUBuffer, index: number): BufferRange => ({
    buffer,
    offset: index * COUNT_STRIDE * WORD,
    size: WORD,
  })
  return {
    bytes: (1 + chunks.rows + chunks.targets) * COUNT_STRIDE * WORD,
    /** Of the rows of a chunk, or of all. */
    of: (buffer: GPUBuffer, chunk?: number) => at(buffer, chunk === undefined ? 0 : 1 + chunk),
    /** Of the targets of a chunk. */
    ofTargets: (buffer: GPUBuffer, chunk = 0) => at(buffer, 1 + chunks.rows + chunk),
  }
}

/** The words of the counts: how many rows there are in all, in each chunk of rows, and in each chunk of targets. */
export function countWords(
  shape: TrainingShape,
  size: { readonly rows: number; readonly targets: number },
): Uint32Array<ArrayBuffer> {
  const chunks = chunkCounts(shape)
  const parts = (count: number, all: number, length: number) =>
    Array.from({ length: count }, (_, i) => Math.min(length, Math.max(0, all - i * length)))
  const counts = [
    size.rows,
    ...parts(chunks.rows, size.rows, shape.chunkRows),
    ...parts(chunks.targets, size.targets, shape.headRows),
  ]
  const words = new Uint32Array(counts.length * COUNT_STRIDE)
  counts.forEach((count, i) => {
    words[i * COUNT_STRIDE] = count
  })
  return words
}
