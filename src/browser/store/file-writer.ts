import { isLocked, openSyncAccess, type SyncAccess } from './sync-access.js'

/** A file being written from some byte on. What was written stays, also where the writing ends early. */
export interface FileWriter {
  /** Bytes that the file has now. */
  readonly size: number
  /** Appends bytes. */
  append(bytes: Uint8Array): Promise<void>
  /** Drops what is there and begins anew. */
  restart(): Promise<void>
  /** What is there, in chunks. Not after `append`. */
  chunks(): AsyncIterable<Uint8Array>
  /** Makes what was written durable. */
  close(): Promise<void>
}

const CHUNK = 4 * 2 ** 20
/** A crash of the browser loses at most so many bytes. */
const FLUSH_BYTES = 64 * 2 ** 20

/** Opens a file for writing: in place in a worker, through the browser's swap file elsewhere. */
export async function openWriter(handle: FileSystemFileHandle): Promise<FileWriter> {
  const access = await openSyncAccess(handle, 'readwrite')
  return access ? new SyncWriter(access) : new SwapWriter(handle, (await handle.getFile()).size)
}

/** Whether a failure to write means that somebody else has the file open. */
export const isOpenElsewhere = isLocked

/** Writes in place: what was flushed is there even after a crash. */
class SyncWriter implements FileWriter {
  readonly #access: SyncAccess
  #size: number
  #unflushed = 0

  constructor(access: SyncAccess) {
    this.#access = access
    this.#size = access.getSize()
  }

  get size(): number {
    return this.#size
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.byteLength; ) {
      const written = this.#access.write(bytes.subarray(done), { at: this.#size })
      if (written === 0) throw new DOMException('no byte could be written', 'QuotaExceededError')
      this.#size += written
      done += written
    }
    this.#unflushed += bytes.byteLength
    if (this.#unflushed < FLUSH_BYTES) return
    this.#access.flush()
    this.#unflushed = 0
  }

  async restart(): Promise<void> {
    this.#access.truncate(0)
    this.#size = 0
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    for (let at = 0; at < this.#size; at += CHUNK) {
      const chunk = new Uint8Array(Math.min(CHUNK, this.#size - at))
      this.#access.read(chunk, { at })
      yield chunk
    }
  }

  async close(): Promise<void> {
    try {
      this.#access.flush()
    } finally {
      this.#access.close()
    }
  }
}

/** Writes into a copy that replaces the file when it is closed: a crash loses what was written since. */
class SwapWriter implements FileWriter {
  readonly #handle: FileSystemFileHandle
  #writable: FileSystemWritableFileStream | undefined
  #size: number

  constructor(handle: FileSystemFileHandle, size: number) {
    this.#handle = handle
    this.#size = size
  }

  get size(): number {
    return this.#size
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#writable ??= await this.#handle.createWritable({ keepExistingData: this.#size > 0 })
    const data = bytes as Uint8Array<ArrayBuffer>
    await this.#writable.write({ type: 'write', position: this.#size, data })
    this.#size += bytes.byteLength
  }

  async restart(): Promise<void> {
    await this.#writable?.abort()
    this.#writable = await this.#handle.createWritable()
    this.#size = 0
  }

  async *chunks(): AsyncIterable<Uint8Array> {
    const file = await this.#handle.getFile()
    for (let at = 0; at < file.size; at += CHUNK) {
      yield new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer())
    }
  }

  async close(): Promise<void> {
    await this.#writable?.close()
  }
}
