import { expose, type Remote, transfer, wrap } from 'comlink'
import { type ByteSink, openSink, type SinkFile, type SinkLocation } from '../../checkpoint/index.js'
import { StoredOutput } from '../store/stored-output.js'
import { type Outcome, unwrap, wrapped } from './outcome.js'
import { type PortSource, RemoteSource, SourceServer } from './source-transport.js'

/** A place to write to, as `postMessage` carries it. */
export type PortableSink =
  | { readonly kind: 'folder'; readonly folder: FileSystemDirectoryHandle }
  | { readonly kind: 'stored'; readonly root: FileSystemDirectoryHandle; readonly item: string }
  /** A sink of the caller's own, which stays where it is and is asked through a port. */
  | PortSource

/**
 * Makes a place ready for a message.
 * @throws `sink.failed` for a path: a page can write to none
 */
export async function packSink(location: SinkLocation | StoredOutput): Promise<PortableSink> {
  if (location instanceof StoredOutput) return { kind: 'stored', root: location.root, item: location.name }
  if (typeof location === 'object' && 'getFileHandle' in location) return { kind: 'folder', folder: location }
  const sink = await openSink(location)
  const { port1, port2 } = new MessageChannel()
  expose(new SinkServer(sink), port1)
  return transfer({ kind: 'port', port: port2, name: sink.name }, [port2])
}

/** What `packSink` packed, as a place again. */
export function unpackSink(sink: PortableSink): SinkLocation | StoredOutput {
  switch (sink.kind) {
    case 'folder':
      return sink.folder
    case 'stored':
      return new StoredOutput(sink.root, sink.item)
    case 'port':
      return new RemoteSink(sink)
  }
}

/** Gives a sink's answers as outcomes; files that are being written have numbers. */
class SinkServer extends SourceServer {
  readonly #sink: ByteSink
  readonly #files = new Map<number, SinkFile>()
  #lastFile = 0

  constructor(sink: ByteSink) {
    super(sink)
    this.#sink = sink
  }

  create(path: string): Promise<Outcome<number>> {
    return wrapped(async () => {
      this.#files.set(++this.#lastFile, await this.#sink.create(path))
      return this.#lastFile
    })
  }

  write(file: number, bytes: Uint8Array): Promise<Outcome<void>> {
    return wrapped(() => this.#files.get(file)!.write(bytes))
  }

  end(file: number, how: 'commit' | 'abort'): Promise<Outcome<void>> {
    return wrapped(async () => {
      await this.#files.get(file)![how]()
      this.#files.delete(file)
    })
  }

  remove(path: string): Promise<Outcome<void>> {
    return wrapped(() => this.#sink.remove(path))
  }
}

/** A sink in another thread. */
class RemoteSink extends RemoteSource implements ByteSink {
  readonly #remote: Remote<SinkServer>

  constructor({ port, name }: PortSource) {
    const remote = wrap<SinkServer>(port)
    super({ name }, remote)
    this.#remote = remote
  }

  async create(path: string): Promise<SinkFile> {
    const file = unwrap(await this.#remote.create(path))
    return {
      write: async (bytes) => unwrap(await this.#remote.write(file, bytes)),
      commit: async () => unwrap(await this.#remote.end(file, 'commit')),
      abort: async () => unwrap(await this.#remote.end(file, 'abort')),
    }
  }

  async remove(path: string): Promise<void> {
    unwrap(await this.#remote.remove(path))
  }
}
