import { type ByteSource, checkRange, readBlob, type SourceOpener } from '../../checkpoint/index.js'
import { SourceError } from '../../errors/index.js'
import { incompleteItem, notStored } from './errors.js'
import { ItemFolder } from './item-folder.js'
import { isComplete } from './item-record.js'
import { isLocked, openSyncAccess, type SyncAccess } from './sync-access.js'

/** A file open for reading in a worker, while anybody reads from it. */
interface OpenFile {
  readonly access: Promise<SyncAccess | undefined>
  readers: number
}

/** A stored item as a place to read from. Nothing is opened, and nothing can be missing, before `open()`. */
export class StoredLocation implements SourceOpener {
  readonly root: FileSystemDirectoryHandle
  readonly name: string

  constructor(root: FileSystemDirectoryHandle, name: string) {
    this.root = root
    this.name = name
  }

  /** @throws `store.not-found`, `store.incomplete` */
  async open(): Promise<ByteSource> {
    const folder = new ItemFolder(this.root, this.name)
    const record = await folder.record()
    if (!record) throw notStored(this.name)
    if (!isComplete(record)) throw incompleteItem(this.name)
    const sizes = new Map(record.files.map(({ path, size }) => [path, size]))
    return new StoredFiles(folder, sizes)
  }
}

/**
 * The files of a stored item. In a worker they are read by synchronous access, which is several times faster than by
 * blobs; where another tab of a browser without shared access has a file open, and in a page, by blobs.
 */
class StoredFiles implements ByteSource {
  readonly name: string
  readonly file?: string
  readonly #folder: ItemFolder
  readonly #sizes: ReadonlyMap<string, number>
  readonly #open = new Map<string, OpenFile>()

  constructor(folder: ItemFolder, sizes: ReadonlyMap<string, number>) {
    this.name = folder.item
    this.#folder = folder
    this.#sizes = sizes
    if (sizes.size === 1) this.file = [...sizes.keys()][0]
  }

  async list(): Promise<string[]> {
    return [...this.#sizes.keys()].filter((path) => !path.includes('/')).sort()
  }

  async has(path: string): Promise<boolean> {
    return this.#sizes.has(path)
  }

  async size(path: string): Promise<number> {
    const size = this.#sizes.get(path)
    if (size === undefined)
      throw new SourceError('source.failed', `There is no file ${path} in "${this.name}".`)
    return size
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted()
    checkRange(this, path, start, end, await this.size(path))
    return (await this.#readSynchronously(path, start, end)) ?? this.#readBlob(path, start, end, signal)
  }

  async #readBlob(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const file = await (await this.#folder.file(path)).getFile()
    checkRange(this, path, start, end, file.size)
    return readBlob(file, path, this.name, start, end, signal)
  }

  /** The bytes; undefined where the file cannot be opened so. */
  async #readSynchronously(path: string, start: number, end: number): Promise<Uint8Array | undefined> {
    const open = this.#open.get(path) ?? { access: this.#access(path), readers: 0 }
    this.#open.set(path, open)
    open.readers++
    try {
      const access = await open.access
      const bytes = new Uint8Array(end - start)
      return access?.read(bytes, { at: start }) === bytes.byteLength ? bytes : undefined
    } catch (error) {
      if (isLocked(error)) return undefined
      throw error
    } finally {
      if (--open.readers === 0) {
        this.#open.delete(path)
        open.access.then((access) => access?.close()).catch(() => {})
      }
    }
  }

  async #access(path: string): Promise<SyncAccess | undefined> {
    return openSyncAccess(await this.#folder.file(path), 'read-only')
  }
}
