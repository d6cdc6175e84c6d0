import { open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CheckpointError, SourceError } from '../../errors/index.js'
import { messageOf } from '../errors.js'
import { normalizePath } from '../paths.js'
import { type ByteSource, checkRange } from '../sources/byte-source.js'
import { snapshotOf } from './hub-cache.js'

/** One call of `read` on a file: Node refuses 2 GiB and more, and between calls an abort is noticed. */
const READ_BYTES = 8 * 1024 * 1024

/** `owner/name`, as a hub calls a repository. */
const REPOSITORY = /^[\w-][\w.-]*\/[\w-][\w.-]*$/

/** The files of a local folder (Node). */
export class FolderSource implements ByteSource {
  readonly name: string
  readonly file?: string
  readonly #root: string

  private constructor(root: string, file?: string) {
    this.name = root
    this.#root = root
    if (file !== undefined) this.file = file
  }

  /**
   * @param location a folder, or one file: then the source is its folder and {@link ByteSource.file} its name. Of a
   * repository in Hugging Face's cache, its snapshot.
   * @throws `source.not-found` where there is neither
   */
  static async open(location: string | URL): Promise<FolderSource> {
    const absolute = resolve(location instanceof URL ? fileURLToPath(location) : location)
    const found = await stat(absolute).catch((error: unknown) => {
      throw new SourceError(
        'source.not-found',
        `Cannot open ${absolute}: ${explain(error)}. Give the path of an existing folder or file` +
          `${REPOSITORY.test(`${location}`) ? `, or hf:${location} for the repository of that name on Hugging Face` : ''}.`,
        { cause: error },
      )
    })
    if (found.isDirectory()) return new FolderSource(await snapshotOf(absolute))
    return new FolderSource(dirname(absolute), basename(absolute))
  }

  async list(): Promise<string[]> {
    try {
      const entries = await readdir(this.#root, { withFileTypes: true })
      return entries
        .filter((entry) => !entry.isDirectory())
        .map((entry) => entry.name)
        .sort()
    } catch (error) {
      throw this.#failure(error, '.')
    }
  }

  async has(path: string): Promise<boolean> {
    try {
      return (await stat(await this.#resolve(path))).isFile()
    } catch (error) {
      const code = (error as NodeJS.ErrnoException)?.code
      if (code === 'ENOENT' || code === 'ENOTDIR') return false
      throw this.#failure(error, path)
    }
  }

  async size(path: string): Promise<number> {
    try {
      return (await stat(await this.#resolve(path))).size
    } catch (error) {
      throw this.#failure(error, path)
    }
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted()
    try {
      const handle = await open(await this.#resolve(path), 'r')
      try {
        checkRange(this, path, start, end, (await handle.stat()).size)
        // Every byte is overwritten, and a slow buffer shares its memory with no other.
        const buffer = Buffer.allocUnsafeSlow(end - start)
        for (let done = 0; done < buffer.length; ) {
          const length = Math.min(READ_BYTES, buffer.length - done)
          const { bytesRead } = await handle.read(buffer, done, length, start + done)
          signal?.throwIfAborted()
          if (bytesRead === 0) {
            throw new CheckpointError(
              'checkpoint.truncated',
              `${path} in ${this.name} became shorter while it was read. Wait until nothing writes to it.`,
            )
          }
          done += bytesRead
        }
        return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
      } finally {
        await handle.close()
      }
    } catch (error) {
      signal?.throwIfAborted()
      throw this.#failure(error, path)
    }
  }

  /**
   * The real location of a file.
   *
   * A link must not lead out of the folder, except into the blobs of a Hugging Face cache: there
   * `snapshots/REVISION/FILE` is always a link to `../../blobs/HASH`. The file that the caller named may be
   * anywhere.
   */
  async #resolve(path: string): Promise<string> {
    const normal = normalizePath(path)
    const real = await realpath(join(this.#root, normal))
    if (normal === this.file) return real
    const root = await realpath(this.#root)
    const parent = dirname(root)
    const allowed = [root]
    if (basename(parent) === 'snapshots') allowed.push(join(parent, '..', 'blobs'))
    if (!allowed.some((folder) => real.startsWith(folder.endsWith(sep) ? folder : folder + sep))) {
      throw new CheckpointError(
        'checkpoint.unsafe-path',
        `${path} in ${this.name} is a link to ${real}, outside the folder. ` +
          'Put the file itself into the folder, or open the folder that holds it.',
      )
    }
    return real
  }

  #failure(error: unknown, path: string): unknown {
    if (!isSystemError(error)) return error
    return new SourceError('source.failed', `Cannot read ${path} in ${this.name}: ${explain(error)}.`, {
      cause: error,
    })
  }
}

/** Whether a caught value comes from the operating system. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

/** What an error of the operating system means, in words. */
export function explain(error: unknown): string {
  switch ((error as NodeJS.ErrnoException)?.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'it does not exist'
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EISDIR':
      return 'it is a folder'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full'
    case 'EROFS':
      return 'the disk is read-only'
    default:
      return messageOf(error)
  }
}
