/** A web server for tests in the browser, which counts what it sends, and cuts or damages it when told to. */

import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
}

/** What goes wrong with the answers for a file, once for each entry, in order. */
interface Fault {
  /** Breaks the connection after so many bytes of the body. */
  readonly cutAfter?: number
  /** Flips the bits of the byte at this offset of the file. */
  readonly flipByte?: number
  /** Answers with this status and no body. */
  readonly status?: number
}

/** Bytes are sent in pieces of this size, so that a page has received what was sent before a cut. */
const PIECE = 16 * 1024

export class TestServer {
  readonly #server: Server
  readonly #folders = new Map<string, string>()
  readonly #files = new Map<string, Uint8Array>()
  readonly #faults = new Map<string, Fault[]>()
  readonly #sent = new Map<string, number>()
  #requests: string[] = []
  /** Milliseconds between two pieces of a body: 0 unless a test needs time. */
  pause = 0

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error))
      })
    })
  }

  static async start(): Promise<TestServer> {
    const server = new TestServer()
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    return server
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Serves the files of a folder below a path such as `/page`. */
  serveFolder(path: string, folder: string): void {
    this.#folders.set(path, folder)
  }

  /** Serves bytes under a path, with a query where the path has one. */
  serveBytes(path: string, bytes: Uint8Array | string): void {
    this.#files.set(path, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes)
  }

  /** Lets the next answers for a path that carry more than one byte go wrong, one after another. */
  fail(path: string, ...faults: Fault[]): void {
    this.#faults.set(path, [...(this.#faults.get(path) ?? []), ...faults])
  }

  /** Bytes of bodies sent for a path since the last `forget`. */
  sent(path: string): number {
    return this.#sent.get(path) ?? 0
  }

  /** `METHOD PATH RANGE` of every request since the last `forget`. */
  get requests(): readonly string[] {
    return this.#requests
  }

  /** Starts counting anew, and drops faults that were not met. */
  forget(): void {
    this.#sent.clear()
    this.#faults.clear()
    this.#requests = []
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent((request.url ?? '/').replace(/\?.*$/, ''))
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '')
    this.#requests.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim())
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Expose-Headers', 'Content-Range')
    response.setHeader('Cache-Control', 'no-store')
    const whole = await this.#read(path, request.url ?? '/')
    if (!whole) return void response.writeHead(404).end()
    const first = range ? Number(range[1]) : 0
    const end = range?.[2] ? Math.min(Number(range[2]) + 1, whole.byteLength) : whole.byteLength
    if (range && first >= whole.byteLength) {
      return void response.writeHead(416, { 'Content-Range': `bytes */${whole.byteLength}` }).end()
    }
    const fault = end - first > 1 && request.method === 'GET' ? this.#faults.get(path)?.shift() : undefined
    if (fault?.status) return void response.writeHead(fault.status).end()
    response.writeHead(range ? 206 : 200, {
      'Content-Type': TYPES[path.endsWith('/') ? '.html' : extname(path)] ?? 'application/octet-stream',
      'Content-Length': end - first,
      ...(range && { 'Content-Range': `bytes ${first}-${end - 1}/${whole.byteLength}` }),
    })
    if (request.method === 'HEAD') return void response.end()
    await this.#send(response, path, damaged(whole, fault?.flipByte).subarray(first, end), fault?.cutAfter)
  }

  async #send(
    response: ServerResponse,
    path: string,
    body: Uint8Array,
    cutAfter = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const end = Math.min(body.byteLength, cutAfter)
    for (let at = 0; at < end && !response.destroyed; at += PIECE) {
      const piece = body.subarray(at, Math.min(at + PIECE, end))
      await new Promise((resolve) => response.write(piece, resolve))
      this.#sent.set(path, this.sent(path) + piece.byteLength)
      if (this.pause > 0) await new Promise((resolve) => setTimeout(resolve, this.pause))
    }
    if (cutAfter >= body.byteLength) response.end()
    // What was written last must leave before the connection does.
    else setTimeout(() => response.destroy(), 50)
  }

  async #read(path: string, url: string): Promise<Uint8Array | undefined> {
    const bytes = this.#files.get(url) ?? this.#files.get(path)
    if (bytes) return bytes
    for (const [prefix, folder] of this.#folders) {
      if (path !== prefix && !path.startsWith(`${prefix}/`)) continue
      const rest = normalize(path.slice(prefix.length) || '/').replace(/\/$/, '/index.html')
      return readFile(join(folder, rest)).catch(() => undefined)
    }
    return undefined
  }
}

function damaged(bytes: Uint8Array, flipByte: number | undefined): Uint8Array {
  if (flipByte === undefined) return bytes
  const copy = new Uint8Array(bytes)
  copy[flipByte] ^= 0xff
  return copy
}
