import { SourceError } from '../../errors/index.js'
import { messageOf } from '../errors.js'
import { normalizePath } from '../paths.js'
import { type ByteSource, checkRange } from './byte-source.js'

/** Files that a user chose or dropped in the browser. */
export class FileListSource implements ByteSource {
  readonly name: string
  readonly file?: string
  readonly #files = new Map<string, File>()

  /**
   * @param files from `<input type="file">`, also with `webkitdirectory`: the chosen folder's own name is then
   * no part of the paths. One file alone is what the caller points at.
   * @throws `source.not-found` for an empty list
   * @throws `source.failed` for two files of one name
   */
  constructor(files: Iterable<File>) {
    const list = [...files]
    const [first] = list
    if (first === undefined) {
      throw new SourceError(
        'source.not-found',
        'No files were given. Choose the files or the folder of a checkpoint.',
      )
    }
    const folder = /^[^/]+\//.exec(first.webkitRelativePath ?? '')?.[0]
    const inFolder = folder !== undefined && list.every((file) => file.webkitRelativePath.startsWith(folder))
    for (const file of list) {
      const path = normalizePath(inFolder ? file.webkitRelativePath.slice(folder.length) : file.name)
      if (this.#files.has(path)) {
        throw new SourceError(
          'source.failed',
          `Two of the given files are called ${path}. Give the files of one checkpoint.`,
        )
      }
      this.#files.set(path, file)
    }
    if (list.length === 1) this.file = [...this.#files.keys()][0]!
    this.name = inFolder ? folder.slice(0, -1) : list.length === 1 ? first.name : `${list.length} files`
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()].filter((path) => !path.includes('/')).sort()
  }

  async has(path: string): Promise<boolean> {
    return this.#files.has(normalizePath(path))
  }

  async size(path: string): Promise<number> {
    return this.#get(path).size
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    const file = this.#get(path)
    checkRange(this, path, start, end, file.size)
    return readBlob(file, path, this.name, start, end, signal)
  }

  #get(path: string): File {
    const file = this.#files.get(normalizePath(path))
    if (file === undefined) {
      throw new SourceError(
        'source.failed',
        `${path} is not among the given files. Choose it together with the others.`,
      )
    }
    return file
  }
}

/**
 * A part of a file of the browser.
 *
 * @throws `source.failed` where the browser can no longer read it: it was moved, changed or removed on the disk
 */
export async function readBlob(
  file: File,
  path: string,
  sourceName: string,
  start: number,
  end: number,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  signal?.throwIfAborted()
  let bytes: ArrayBuffer
  try {
    bytes = await file.slice(start, end).arrayBuffer()
  } catch (error) {
    throw new SourceError(
      'source.failed',
      `The browser cannot read ${path} in ${sourceName}: ${messageOf(error)}. ` +
        'It was changed or removed after it was chosen: choose it again.',
      { cause: error },
    )
  }
  signal?.throwIfAborted()
  return new Uint8Array(bytes)
}
