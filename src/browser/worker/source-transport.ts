import { expose, type Remote, transfer, wrap } from 'comlink'
import {
  type ByteSource,
  heed,
  listFiles,
  SOURCE_PLACE,
  type SourceLocation,
} from '../../checkpoint/index.js'
import { checkArgument } from '../../schema/index.js'
import { StoredLocation } from '../store/stored-files.js'
import { type Outcome, unwrap, wrapped } from './outcome.js'

/** A place to read from, as `postMessage` carries it. */
export type PortableSource =
  | { readonly kind: 'location'; readonly location: string | FileSystemDirectoryHandle }
  | { readonly kind: 'files'; readonly files: readonly File[]; readonly paths: readonly string[] }
  | { readonly kind: 'stored'; readonly root: FileSystemDirectoryHandle; readonly item: string }
  | PortSource

/** A source of the caller's own, which stays where it is and is asked through a port. */
export interface PortSource {
  readonly kind: 'port'
  readonly port: MessagePort
  readonly name: string
  readonly file?: string
}

/** Makes a location ready for a message; a relative URL is completed, as the worker lies elsewhere. */
export async function packSource(location: SourceLocation): Promise<PortableSource> {
  checkArgument('source', SOURCE_PLACE, location)
  if (location instanceof URL) return { kind: 'location', location: location.href }
  if (typeof location === 'string') {
    const complete = /^[a-z][a-z0-9+.-]*:/i.test(location) || globalThis.location === undefined
    return {
      kind: 'location',
      location: complete ? location : new URL(location, globalThis.location.href).href,
    }
  }
  if (Symbol.iterator in location) {
    const files = listFiles(location)
    return { kind: 'files', files, paths: files.map((file) => file.webkitRelativePath) }
  }
  if (location instanceof StoredLocation) return { kind: 'stored', root: location.root, item: location.name }
  if ('getFileHandle' in location) return { kind: 'location', location }
  const source = 'open' in location ? await location.open() : location
  const { port1, port2 } = new MessageChannel()
  expose(new SourceServer(source), port1)
  const packed = {
    kind: 'port',
    port: port2,
    name: source.name,
    ...(source.file && { file: source.file }),
  } as const
  return transfer(packed, [port2])
}

/** What `packSource` packed, as a location again. */
export function unpackSource(source: PortableSource): SourceLocation {
  switch (source.kind) {
    case 'location':
      return source.location
    case 'files':
      // Not every browser keeps the path within the chosen folder when it copies a file to another thread.
      return source.files.map((file, index) =>
        Object.defineProperty(file, 'webkitRelativePath', { value: source.paths[index], configurable: true }),
      )
    case 'stored':
      return new StoredLocation(source.root, source.item)
    case 'port':
      return new RemoteSource(source, wrap(source.port))
  }
}

/** Gives a source's answers as outcomes, whose errors keep their class. */
export class SourceServer {
  readonly #source: ByteSource

  constructor(source: ByteSource) {
    this.#source = source
  }

  list(): Promise<Outcome<string[]>> {
    return wrapped(() => this.#source.list())
  }

  has(path: string): Promise<Outcome<boolean>> {
    return wrapped(() => this.#source.has(path))
  }

  size(path: string): Promise<Outcome<number>> {
    return wrapped(() => this.#source.size(path))
  }

  async read(path: string, start: number, end: number): Promise<Outcome<Uint8Array>> {
    // A copy of its own can be handed over; what the source gives may be the source's own.
    const outcome = await wrapped(async () => (await this.#source.read(path, start, end)).slice())
    return 'value' in outcome ? transfer(outcome, [outcome.value.buffer]) : outcome
  }
}

/** A source in another thread. */
export class RemoteSource implements ByteSource {
  readonly distant = true
  readonly name: string
  readonly file?: string
  readonly #remote: Remote<SourceServer>

  constructor({ name, file }: Pick<PortSource, 'name' | 'file'>, remote: Remote<SourceServer>) {
    this.name = name
    if (file !== undefined) this.file = file
    this.#remote = remote
  }

  async list(signal?: AbortSignal): Promise<string[]> {
    return unwrap(await heed<Outcome<string[]>>(this.#remote.list(), signal))
  }

  async has(path: string, signal?: AbortSignal): Promise<boolean> {
    return unwrap(await heed<Outcome<boolean>>(this.#remote.has(path), signal))
  }

  async size(path: string, signal?: AbortSignal): Promise<number> {
    return unwrap(await heed<Outcome<number>>(this.#remote.size(path), signal))
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    return unwrap(await heed<Outcome<Uint8Array>>(this.#remote.read(path, start, end), signal))
  }
}
