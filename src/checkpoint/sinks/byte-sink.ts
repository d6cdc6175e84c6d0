import type { ByteSource } from '../sources/byte-source.js'

/** A file being written. It has its final name only after {@link SinkFile.commit}. */
export interface SinkFile {
  /** Appends bytes. They may be reused once the promise is fulfilled. */
  write(bytes: Uint8Array): Promise<void>
  /** Makes the file durable and gives it its final name, replacing an older file of that name. */
  commit(): Promise<void>
  /** Drops what was written. An older file of the final name stays. */
  abort(): Promise<void>
}

/**
 * Where files are written to: a folder, a directory handle of the browser, memory. What was committed can be
 * read back, which is how an interrupted run finds what it need not do again.
 */
export interface ByteSink extends ByteSource {
  /**
   * Begins a file.
   *
   * @throws `sink.failed` where the destination cannot be written
   */
  create(path: string): Promise<SinkFile>
  /** Removes a file; nothing happens where there is none. */
  remove(path: string): Promise<void>
  /**
   * Keeps others from writing there, where the destination can tell: see `withLock`.
   *
   * @returns what gives it free again
   * @throws `busy.output` where somebody else writes there
   */
  lock?(work: string): Promise<() => Promise<void>>
}

/** Writes one small file. */
export async function writeFile(sink: ByteSink, path: string, bytes: Uint8Array): Promise<void> {
  const file = await sink.create(path)
  try {
    await file.write(bytes)
    await file.commit()
  } catch (error) {
    await file.abort()
    throw error
  }
}
