import type * as NodeFs from 'node:fs/promises'
import type * as NodePath from 'node:path'
import { SinkError } from '../../errors/index.js'
import { nodeFileModules } from '../node-modules.js'
import { normalizePath } from '../paths.js'
import { explain, FolderSource, isSystemError } from '../sources/folder-source.js'
import type { ByteSink, SinkFile } from './byte-sink.js'

/** What follows a file's name until it is complete. */
const PARTIAL = '.partial'

/** A local folder to write to (Node). Files are synced to the disk before they get their names. */
export class FolderSink implements ByteSink {
  readonly name: string
  readonly #fs: typeof NodeFs
  readonly #path: typeof NodePath
  readonly #source: FolderSource

  private constructor(fs: typeof NodeFs, path: typeof NodePath, source: FolderSource) {
    this.name = source.name
    this.#fs = fs
    this.#path = path
    this.#source = source
  }

  /**
   * @param location a folder, which is made where it does not exist
   * @throws `sink.failed` where it cannot be made
   */
  static async open(location: string | URL): Promise<FolderSink> {
    const { fs, path, url } = await nodeFileModules()
    const root = path.resolve(location instanceof URL ? url.fileURLToPath(location) : location)
    try {
      await fs.mkdir(root, { recursive: true })
    } catch (error) {
      throw new SinkError('sink.failed', `Cannot make the folder ${root}: ${explain(error)}.`, {
        cause: error,
      })
    }
    return new FolderSink(fs, path, await FolderSource.open(root))
  }

  async list(): Promise<string[]> {
    return (await this.#source.list()).filter((path) => !path.endsWith(PARTIAL))
  }

  has(path: string): Promise<boolean> {
    return this.#source.has(path)
  }

  size(path: string): Promise<number> {
    return this.#source.size(path)
  }

  read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#source.read(path, start, end, signal)
  }

  async create(path: string): Promise<SinkFile> {
    const target = this.#path.join(this.name, normalizePath(path))
    const partial = target + PARTIAL
    const failure = (error: unknown) => this.#failure(error, path)
    let handle: NodeFs.FileHandle
    try {
      await this.#fs.mkdir(this.#path.dirname(target), { recursive: true })
      // Removed and made anew, so that a link of that name is never written through.
      await this.#fs.rm(partial, { force: true })
      handle = await this.#fs.open(partial, 'wx')
    } catch (error) {
      throw failure(error)
    }
    let open = true
    const close = async () => {
      if (open) await handle.close()
      open = false
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
          await this.#fs.rename(partial, target)
          await this.#syncFolder(this.#path.dirname(target))
        } catch (error) {
          throw failure(error)
        }
      },
      abort: async () => {
        try {
          await close()
          await this.#fs.rm(partial, { force: true })
        } catch (error) {
          throw failure(error)
        }
      },
    }
  }

  async remove(path: string): Promise<void> {
    try {
      await this.#fs.rm(this.#path.join(this.name, normalizePath(path)), { force: true })
    } catch (error) {
      throw this.#failure(error, path)
    }
  }

  /** Makes the renaming itself durable. Windows cannot open a folder, and needs no such step. */
  async #syncFolder(folder: string): Promise<void> {
    const handle = await this.#fs.open(folder, 'r').catch(() => undefined)
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
