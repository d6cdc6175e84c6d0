/** Servers on this machine and directory handles in memory, for tests of sources. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

const servers: Server[] = []
/** Ends all servers of a test. */
export function closeServers(): void {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
}

/** Starts a server on this machine. @returns its address, with a slash at the end */
export async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** The first and last byte of the request's range. */
export function rangeOf(request: IncomingMessage): [number, number] | undefined {
  const match = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  return match === null ? undefined : [Number(match[1]), Number(match[2])]
}

/** A server of the given files, as servers should be. */
export function ranges(files: Readonly<Record<string, Uint8Array>>): Handler {
  return (request, response) => {
    const file = files[decodeURIComponent(new URL(request.url!, 'http://x').pathname.slice(1))]
    const range = rangeOf(request)
    if (file === undefined) response.writeHead(404).end()
    else if (range === undefined) response.writeHead(200, { 'Content-Length': file.byteLength }).end(file)
    else if (range[0] >= file.byteLength)
      response.writeHead(416, { 'Content-Range': `bytes */${file.byteLength}` }).end()
    else {
      const part = file.subarray(range[0], range[1] + 1)
      response
        .writeHead(206, {
          'Content-Range': `bytes ${range[0]}-${range[0] + part.byteLength - 1}/${file.byteLength}`,
        })
        .end(part)
    }
  }
}

/** A directory handle over a tree in memory, as far as https://fs.spec.whatwg.org is used here. */
export class FakeDirectory {
  readonly kind = 'directory'
  readonly children = new Map<string, FakeDirectory | FakeFile>()

  constructor(readonly name: string) {}

  async *entries() {
    yield* this.children
  }

  async getDirectoryHandle(name: string, { create = false } = {}) {
    return this.#get(name, create, FakeDirectory)
  }

  async getFileHandle(name: string, { create = false } = {}) {
    return this.#get(name, create, FakeFile)
  }

  async removeEntry(name: string) {
    if (!this.children.delete(name)) throw new DOMException('no entry', 'NotFoundError')
  }

  #get<T extends FakeDirectory | FakeFile>(name: string, create: boolean, type: new (name: string) => T): T {
    const child = this.children.get(name) ?? (create ? new type(name) : undefined)
    if (child === undefined) throw new DOMException('no entry', 'NotFoundError')
    if (!(child instanceof type)) throw new DOMException('other kind', 'TypeMismatchError')
    this.children.set(name, child)
    return child
  }
}

export class FakeFile {
  readonly kind = 'file'
  content: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  quota = Infinity

  constructor(readonly name: string) {}

  getFile = async () => new File([this.content], this.name)

  async createWritable() {
    let written: number[] = []
    return {
      write: async (chunk: Uint8Array | string | { readonly data: Uint8Array }) => {
        const data = typeof chunk === 'object' && 'data' in chunk ? chunk.data : chunk
        const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
        if (written.length + bytes.byteLength > this.quota)
          throw new DOMException('full', 'QuotaExceededError')
        written.push(...bytes)
      },
      close: async () => {
        this.content = Uint8Array.from(written)
      },
      abort: async () => {
        written = []
      },
    }
  }
}
