import { CheckpointError, invalidOption } from '../../errors/index.js'
import { whatElse } from '../formats/recognize.js'

/**
 * Where the files of a checkpoint are read from: a folder, a URL, files or a directory handle of the browser,
 * memory. Paths are relative to the source, with `/` between the parts; a path that leaves the source is
 * refused with `checkpoint.unsafe-path`. Every wait ends when the signal is aborted, with its reason.
 */
export interface ByteSource {
  /** What to call the source in messages: its path or URL. */
  readonly name: string
  /** The file that the caller pointed at, where that was one file and not a folder. */
  readonly file?: string
  /** Whether reading costs: the files come over a network, or another thread gives them. */
  readonly distant?: boolean
  /** The names of the files at the top of the source, sorted; those in its folders are left out. */
  list(signal?: AbortSignal): Promise<string[]>
  has(path: string, signal?: AbortSignal): Promise<boolean>
  /**
   * The size of a file in bytes.
   *
   * @throws `source.failed` where the file is missing or cannot be reached
   */
  size(path: string, signal?: AbortSignal): Promise<number>
  /**
   * The bytes `start` (inclusive) to `end` (exclusive) of a file. The bytes may be the source's own: do not
   * write to them.
   *
   * @throws `checkpoint.truncated` where the file ends before `end`
   * @throws `source.failed` where the file is missing or cannot be read
   */
  read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>
  /**
   * The same bytes in chunks of any size as they come, where that is better than asking for each: what came before a
   * connection broke for good is not lost then. Errors as {@link read}.
   */
  stream?(path: string, start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Sizes and SHA-256 of the files, where whoever serves them tells; files without are left out. */
  hashes?(signal?: AbortSignal): Promise<ReadonlyMap<string, { size: number; sha256: string }>>
}

/** What a file is read by where the caller has no wish: large enough for full speed, small enough for memory. */
export const DEFAULT_CHUNK_BYTES = 8 * 1024 * 1024

/**
 * A whole small file.
 *
 * @param limit the largest size accepted, in bytes
 * @throws `checkpoint.corrupt` where it is larger, `checkpoint.not-the-file` for a Git LFS pointer or a web page
 */
export async function readFile(
  source: ByteSource,
  path: string,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const size = await source.size(path, signal)
  if (size > limit) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${path} in ${source.name} has ${size} bytes, more than the ${limit} that such a file can have. ` +
        'Check that it is the right file.',
    )
  }
  const bytes = await source.read(path, 0, size, signal)
  const other = whatElse(bytes, path)
  if (other) throw other
  return bytes
}

/**
 * The bytes `start` to `end` of a file in chunks of `chunkBytes`, the last one shorter. The next chunk is read
 * while the consumer works on the current one, so at most two are in memory.
 */
export async function* streamRange(
  source: ByteSource,
  path: string,
  start: number,
  end: number,
  chunkBytes: number = DEFAULT_CHUNK_BYTES,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!Number.isSafeInteger(chunkBytes) || chunkBytes <= 0) {
    throw invalidOption('chunkBytes', chunkBytes, 'a whole number above 0')
  }
  const readFrom = (from: number) => {
    const chunk = source.read(path, from, Math.min(from + chunkBytes, end), signal)
    // A consumer that stops early never awaits this read; its failure must not count as unhandled.
    chunk.catch(() => {})
    return chunk
  }
  let next = start < end ? readFrom(start) : undefined
  for (let from = start; next !== undefined; ) {
    const chunk = await next
    signal?.throwIfAborted()
    from += chunk.byteLength
    next = from < end ? readFrom(from) : undefined
    yield chunk
  }
}

/**
 * Checks a range before anything is read or allocated for it.
 *
 * @param size the file's size in bytes
 */
export function checkRange(source: ByteSource, path: string, start: number, end: number, size: number): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw invalidOption('range', [start, end], `bytes of ${path} in their order`)
  }
  if (end > size) {
    throw new CheckpointError(
      'checkpoint.truncated',
      `${path} in ${source.name} has ${size} bytes, but bytes ${start} to ${end} are needed. ` +
        'The file is incomplete: download or write it again.',
    )
  }
}
