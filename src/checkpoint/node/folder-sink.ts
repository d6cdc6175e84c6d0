import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SinkError } from '../../errors/index.js'
import { normalizePath } from '../paths.js'
import { diskPath } from '../portable-names.js'
import type { ByteSink, SinkFile } from '../sinks/byte-sink.js'
import { LOCK_FILE, lockFolder } from './folder-lock.js'
import { explain, FolderSource, isSystemError } from './folder-source.js'

/** What follows a file's name until it is complete. */
const PARTIAL = '.partial'

/** Where a file lies: under its own name, if every file system takes that. */
const stored = (path: string) => diskPath(normalizePath(path))

/** A local folder to write to (Node). Files are synced to the disk before they get their names. */
export class FolderSink implements ByteSink {
  readonly name: string
  readonly #source: FolderSource

  private constructor(source: FolderSource) {
    this.name = source.name
    this.#source = source
  }

  /**
   * @param location a folder, which is made where it does not exist
   * @throws `sink.failed` where it cannot be made
   */
  static async open(location: string | URL): Promise<FolderSink> {
    const root = resolve(location instanceof URL ? fileURLToPath(location) : location)
    try {
      await mkdir(root, { recursive: true })
    } catch (error) {
      throw new SinkError('sink.failed', `Cannot make the folder ${root}: ${explain(error)}.`, {
        cause: error,
      })
    }
    return new FolderSink(await FolderSource.open(root))
  }

  async list(): Promise<string[]> {
    return (await this.#source.list()).filter(
      (path) => !path.endsWith(PARTIAL) && !path.startsWith(LOCK_FILE),
    )
  }

  lock(work: string): Promise<() => Promise<void>> {
    return lockFolder(this.name, work)
  }

  async has(path: string): Promise<boolean> {
    return this.#source.has(stored(path))
  }

  async size(path: string): Promise<number> {
    return this.#source.size(stored(path))
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#source.read(stored(path), start, end, signal)
  }

  async create(path: string): Promise<SinkFile> {
    const target = join(this.name, stored(path))
    const partial = target + PARTIAL
    const failure = (error: unknown) => this.#failure(error, path)
    let handle: FileHandle
    try {
      await mkdir(dirname(target), { recursive: true })
      // Removed and made anew, so that a link of that name is never written through.
      await rm(partial, { force: true })
      handle = await open(partial, 'wx')
    } catch (error) {
      throw failure(error)
    }
    let isOpen = true
    const close = async () => {
      if (isOpen) await handle.close()
      isOpen = false
    }
    return {
      write: async (bytes) => {
        try {
          for (let done = 0; done < bytes.byteLength; ) {
            done += (await handle.write(bytes, done, bytes.byteLength - done)).bytesWritten
          }
        } catch (error) {
          throw failure(error)
        }
      },
      commit: async () => {
        try {
          await handle.sync()
          await close()
          await rename(partial, target)
          await this.#syncFolder(dirname(target))
        } catch (error) {
          throw failure(error)
        }
      },
      abort: async () => {
        try {
          await close()
          await rm(partial, { force: true })
        } catch (error) {
          throw failure(error)
        }
      },
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await rm(join(this.name, stored(path)), { force: true })
    } catch (error) {
      throw this.#failure(error, path)
    }
  }

  /** Makes the renaming itself durable. Windows cannot open a folder, and needs no such step. */
  async #syncFolder(folder: string): Promise<void> {
    const handle = await open(folder, 'r').catch(() => undefined)
    try {
      await handle?.sync()
    } catch {
      // Some file systems do not sync folders; the file itself is safe.
    } finally {
      await handle?.close()
    }
  }

  #failure(error: unknown, path: string): unknown {
    if (!isSystemError(error)) return error
    return new SinkError('sink.failed', `Cannot write ${path} in ${this.name}: ${explain(error)}.`, {
      cause: error,
    })
  }
}
