import { invalidOption, lookAt, SourceError } from '../../errors/index.js'
import { bytes as bytesSchema, checkArgument, text } from '../../schema/index.js'
import { normalizePath } from '../paths.js'
import { checkRange } from '../sources/byte-source.js'
import type { ByteSink, SinkFile } from './byte-sink.js'

/** Files in memory, as a source and as a sink. */
export class MemoryFiles implements ByteSink {
  readonly #files = new Map<string, Uint8Array>()

  /** @param files paths and contents, used without a copy */
  constructor(
    files: Iterable<readonly [string, Uint8Array]> = [],
    readonly name = 'memory',
  ) {
    checkArgument('name', text, name)
    const refuse = () => invalidOption('files', files, 'pairs of a path and a Uint8Array')
    lookAt(refuse, () => {
      for (const [path, bytes] of files) {
        checkArgument(`files.${path}`, bytesSchema, bytes)
        this.#files.set(normalizePath(path), bytes)
      }
    })
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()].filter((path) => !path.includes('/')).sort()
  }

  async has(path: string): Promise<boolean> {
    return this.#files.has(normalizePath(path))
  }

  async size(path: string): Promise<number> {
    return this.#get(path).byteLength
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const bytes = this.#get(path)
    checkRange(this, path, start, end, bytes.byteLength)
    return bytes.subarray(start, end)
  }

  async create(path: string): Promise<SinkFile> {
    const name = normalizePath(path)
    let chunks: Uint8Array[] = []
    return {
      write: async (bytes) => {
        checkArgument('bytes', bytesSchema, bytes)
        chunks.push(bytes.slice())
      },
      commit: async () => {
        this.#files.set(name, concat(chunks))
      },
      abort: async () => {
        chunks = []
      },
    }
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(normalizePath(path))
  }

  #get(path: string): Uint8Array {
    const bytes = this.#files.get(normalizePath(path))
    if (bytes === undefined)
      throw new SourceError('source.failed', `There is no file ${path} in ${this.name}.`)
    return bytes
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}
