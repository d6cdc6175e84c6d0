import { SinkError, SourceError } from '../../errors/index.js'
import { messageOf } from '../errors.js'
import { baseName, normalizePath } from '../paths.js'
import { diskPath } from '../portable-names.js'
import { checkRange } from '../sources/byte-source.js'
import { readBlob } from '../sources/file-list-source.js'
import type { ByteSink, SinkFile } from './byte-sink.js'

/**
 * A directory of the browser to read from and to write to: the origin private file system, or a folder of the
 * user by the File System Access API (https://fs.spec.whatwg.org). What is written goes to the browser's swap
 * file and replaces the file's content when it is committed; until then a new file is empty.
 */
export class DirectoryHandleFiles implements ByteSink {
  readonly name: string
  readonly #root: FileSystemDirectoryHandle

  /** @param name what to call the directory in messages */
  constructor(root: FileSystemDirectoryHandle, name = root.name || 'the private file system') {
    this.#root = root
    this.name = name
  }

  async list(): Promise<string[]> {
    try {
      const names: string[] = []
      for await (const [name, handle] of this.#root.entries()) if (handle.kind === 'file') names.push(name)
      return names.sort()
    } catch (error) {
      throw this.#readFailure(error, '.')
    }
  }

  async has(path: string): Promise<boolean> {
    try {
      await this.#handle(path)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw this.#readFailure(error, path)
    }
  }

  async size(path: string): Promise<number> {
    return (await this.#file(path)).size
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const file = await this.#file(path)
    checkRange(this, path, start, end, file.size)
    return readBlob(file, path, this.name, start, end, signal)
  }

  async create(path: string): Promise<SinkFile> {
    const existed = await this.has(path)
    let writable: FileSystemWritableFileStream
    try {
      writable = await (await this.#handle(path, true)).createWritable()
    } catch (error) {
      throw this.#writeFailure(error, path)
    }
    let open = true
    const guard = async (action: () => Promise<void>) => {
      try {
        await action()
      } catch (error) {
        throw this.#writeFailure(error, path)
      }
    }
    return {
      // The types allow no SharedArrayBuffer here; bytes of one would be refused by the browser itself.
      write: (bytes) => guard(() => writable.write(bytes as Uint8Array<ArrayBuffer>)),
      commit: () =>
        guard(async () => {
          await writable.close()
          open = false
        }),
      abort: async () => {
        if (!open) return
        open = false
        // A stream that already failed rejects the abort too; there is nothing more to drop then.
        await writable.abort().catch(() => {})
        if (!existed) await this.remove(path)
      },
    }
  }

  async remove(path: string): Promise<void> {
    try {
      const normal = diskPath(normalizePath(path))
      await (await this.#folder(normal)).removeEntry(baseName(normal))
    } catch (error) {
      if (!isNotFound(error)) throw this.#writeFailure(error, path)
    }
  }

  async #folder(path: string, create = false): Promise<FileSystemDirectoryHandle> {
    let folder = this.#root
    for (const part of path.split('/').slice(0, -1))
      folder = await folder.getDirectoryHandle(part, { create })
    return folder
  }

  async #handle(path: string, create = false): Promise<FileSystemFileHandle> {
    const normal = normalizePath(path)
    const stored = diskPath(normal)
    try {
      return await (await this.#folder(stored, create)).getFileHandle(baseName(stored), { create })
    } catch (error) {
      if (create || stored === normal || !isNotFound(error)) throw error
      // Somebody else wrote it, under a name that this system takes.
      return (await this.#folder(normal)).getFileHandle(baseName(normal))
    }
  }

  async #file(path: string): Promise<File> {
    try {
      return await (await this.#handle(path)).getFile()
    } catch (error) {
      throw this.#readFailure(error, path)
    }
  }

  #readFailure(error: unknown, path: string): unknown {
    if (!isDomException(error)) return error
    if (isNotFound(error))
      return new SourceError('source.failed', `There is no file ${path} in ${this.name}.`, { cause: error })
    return new SourceError(
      'source.failed',
      `The browser cannot read ${path} in ${this.name}: ${messageOf(error)}. Give the page access to the folder.`,
      { cause: error },
    )
  }

  #writeFailure(error: unknown, path: string): unknown {
    if (!isDomException(error)) return error
    const advice =
      error.name === 'QuotaExceededError'
        ? 'The browser grants this page no more space: free some, or write to a folder of the disk.'
        : 'Give the page access to write to the folder.'
    return new SinkError(
      'sink.failed',
      `The browser cannot write ${path} in ${this.name}: ${messageOf(error)}. ${advice}`,
      {
        cause: error,
      },
    )
  }
}

/** Whether a caught value is one of the browser's own, by its name as some are no `DOMException` any more. */
function isDomException(error: unknown): error is Error {
  return error instanceof Error && (error instanceof DOMException || error.name === 'QuotaExceededError')
}

/** A missing entry, or a file where a folder is needed and the reverse. */
function isNotFound(error: unknown): boolean {
  const name = (error as Error | undefined)?.name
  return name === 'NotFoundError' || name === 'TypeMismatchError'
}
