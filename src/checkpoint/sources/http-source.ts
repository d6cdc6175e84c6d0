import { CheckpointError, hasCode, SourceError } from '../../errors/index.js'
import { isAbort, messageOf } from '../errors.js'
import { WELL_KNOWN_FILES } from '../formats/checkpoint-files.js'
import { isJsonObject, parseJson } from '../formats/json.js'
import { baseName, normalizePath } from '../paths.js'
import { type ByteSource, checkRange, readFile } from './byte-source.js'

/** Up to this size a file is also taken from a server that sends only whole files. */
const WHOLE_FILE_BYTES = 16 * 1024 * 1024
/** An index or manifest of a checkpoint is far smaller than this. */
const INDEX_BYTES = 8 * 1024 * 1024
/** How often in a row a request may fail without one new byte before the read fails. */
const ATTEMPTS = 3
const RETRY_DELAY_MS = 250

/**
 * Files below a URL, read with HTTP range requests (RFC 9110, section 14). A range whose connection breaks is
 * continued where it broke.
 */
export class HttpSource implements ByteSource {
  readonly name: string
  readonly file?: string
  readonly #base: string
  readonly #query: string
  readonly #sizes = new Map<string, Promise<number | undefined>>()
  readonly #wholeFiles = new Map<string, Uint8Array>()

  /**
   * @param url a folder, or one file by its ending: `.safetensors`, `.bin`, `.pt`, `.pth` or `.json`. A query
   * (a signature, a token) is sent with every request.
   */
  constructor(url: URL) {
    const parts = url.pathname.split('/')
    const last = decodeName(parts[parts.length - 1] ?? '')
    if (/\.(safetensors|bin|pt|pth|json)$/i.test(last)) {
      this.file = last
      parts.pop()
    }
    this.#base = `${url.origin}${parts.join('/').replace(/\/*$/, '')}/`
    this.#query = url.search
    this.name = this.#base
  }

  /** The files that a manifest or an index names, or else the usual ones that exist: HTTP has no listing. */
  async list(): Promise<string[]> {
    const names = new Set<string>()
    const present = await Promise.all(WELL_KNOWN_FILES.map((name) => this.has(name)))
    for (const [i, name] of WELL_KNOWN_FILES.entries()) if (present[i]) names.add(name)
    for (const name of [...names]) {
      if (name !== 'manifest.json' && !name.endsWith('.index.json')) continue
      const json = parseJson(await readFile(this, name, INDEX_BYTES), name)
      if (!isJsonObject(json)) continue
      const found = isJsonObject(json.weight_map)
        ? Object.values(json.weight_map)
        : Object.keys(isJsonObject(json.files) ? json.files : {})
      for (const path of found) if (typeof path === 'string') names.add(normalizePath(path))
    }
    if (this.file !== undefined) names.add(this.file)
    return [...names].filter((path) => !path.includes('/')).sort()
  }

  async has(path: string): Promise<boolean> {
    return (await this.#size(path)) !== undefined
  }

  async size(path: string): Promise<number> {
    const size = await this.#size(path)
    if (size === undefined) {
      throw new SourceError(
        'source.failed',
        `There is no file at ${this.#url(path)} (the server answered 404 or 403). Check the address.`,
      )
    }
    return size
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted()
    checkRange(this, path, start, end, await this.size(path))
    const whole = this.#wholeFiles.get(normalizePath(path))
    if (whole !== undefined) return whole.subarray(start, end)
    const bytes = new Uint8Array(end - start)
    let received = 0
    for await (const chunk of this.stream(path, start, end, signal)) {
      bytes.set(chunk, received)
      received += chunk.byteLength
    }
    return bytes
  }

  async *stream(
    path: string,
    start: number,
    end: number,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const size = await this.size(path)
    checkRange(this, path, start, end, size)
    const whole = this.#wholeFiles.get(normalizePath(path))
    if (whole !== undefined) return void (yield whole.subarray(start, end))
    let failures = 0
    for (let at = start; at < end; ) {
      const before = at
      try {
        for await (const chunk of this.#receive(path, at, end, size, signal)) {
          at += chunk.byteLength
          yield chunk
        }
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
        failures = at > before ? 1 : failures + 1
        if (failures >= ATTEMPTS) throw this.#interruption(error, path, at, end)
        await pause(RETRY_DELAY_MS * 2 ** (failures - 1), signal)
      }
    }
  }

  /** The file's bytes `start` to `end` by one request, as they come. */
  async *#receive(
    path: string,
    start: number,
    end: number,
    size: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const response = await this.#fetch(path, { Range: `bytes=${start}-${end - 1}` }, signal)
    if (response.status === 200) {
      await response.body?.cancel()
      throw this.#ignoresRange(path, size)
    }
    if (response.status !== 206) {
      await response.body?.cancel()
      throw this.#badStatus(path, response.status)
    }
    const range = parseContentRange(response.headers.get('Content-Range'))
    if (range !== undefined && (range.start !== start || range.size !== size)) {
      await response.body?.cancel()
      throw new SourceError(
        'source.failed',
        `The server sent another part of ${this.#url(path)} than asked for, or the file changed meanwhile ` +
          `(bytes ${start} of ${size} expected, ${range.start} of ${range.size} sent). Load the checkpoint again.`,
      )
    }
    yield* bodyOf(response, end - start, signal)
  }

  /** The size of a file, `undefined` where the server has none. Known sizes are kept. */
  #size(path: string): Promise<number | undefined> {
    const normal = normalizePath(path)
    let size = this.#sizes.get(normal)
    if (size === undefined) {
      size = this.#askSize(normal)
      size.catch(() => this.#sizes.delete(normal))
      this.#sizes.set(normal, size)
    }
    return size
  }

  async #askSize(path: string): Promise<number | undefined> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.#probe(path)
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
        if (failures >= ATTEMPTS) throw this.#interruption(error, path, 0, 1)
        await pause(RETRY_DELAY_MS * 2 ** (failures - 1))
      }
    }
  }

  /**
   * Asks for one byte instead of sending HEAD: the answer to a range request has the size of the uncompressed
   * file, shows whether ranges work, and also comes from servers with links signed for GET alone.
   */
  async #probe(path: string): Promise<number | undefined> {
    const response = await this.#fetch(path, { Range: 'bytes=0-0' })
    if (response.status === 200) return this.#takeWhole(path, response)
    await response.body?.cancel()
    // Object stores answer 403 for a missing file where listing is not allowed.
    if (response.status === 404 || response.status === 410 || response.status === 403) return undefined
    const range = parseContentRange(response.headers.get('Content-Range'))
    if (response.status === 416 && range?.size === 0) return 0
    if (response.status !== 206) throw this.#badStatus(path, response.status)
    if (range !== undefined) return range.size
    // Across origins a server may hide Content-Range, but never Content-Length.
    const head = await this.#fetch(path, {}, undefined, 'HEAD')
    const length = head.headers.get('Content-Length')
    if (head.ok && length !== null && /^\d{1,15}$/.test(length)) return Number(length)
    throw new SourceError(
      'source.failed',
      `The server does not tell the size of ${this.#url(path)}. ` +
        'It must send Content-Range, and across origins "Access-Control-Expose-Headers: Content-Range".',
    )
  }

  /** A small file from a server that ignores `Range`; a large one would be sent anew for every read. */
  async #takeWhole(path: string, response: Response): Promise<number> {
    const chunks: Uint8Array[] = []
    let size = 0
    const reader = response.body?.getReader()
    try {
      for (let chunk = await reader?.read(); chunk?.value !== undefined; chunk = await reader?.read()) {
        size += chunk.value.byteLength
        if (size > WHOLE_FILE_BYTES) throw this.#ignoresRange(path)
        chunks.push(chunk.value)
      }
    } catch (error) {
      throw hasCode(error, 'source.failed') ? error : new Interrupted(error)
    } finally {
      await reader?.cancel().catch(() => {})
    }
    const whole = new Uint8Array(size)
    let offset = 0
    for (const chunk of chunks) {
      whole.set(chunk, offset)
      offset += chunk.byteLength
    }
    this.#wholeFiles.set(path, whole)
    return size
  }

  async #fetch(
    path: string,
    headers: Record<string, string>,
    signal?: AbortSignal,
    method = 'GET',
  ): Promise<Response> {
    let response: Response
    try {
      response = await fetch(this.#url(path), { method, headers, signal: signal ?? null })
    } catch (error) {
      if (isAbort(error, signal)) throw error
      throw new Interrupted(error)
    }
    if (response.status === 429 || response.status >= 500) {
      await response.body?.cancel()
      throw new Interrupted(new Error(`the server answered ${response.status}`))
    }
    return response
  }

  #url(path: string): string {
    const encoded = normalizePath(path).split('/').map(encodeURIComponent).join('/')
    return `${this.#base}${encoded}${this.#query}`
  }

  #badStatus(path: string, status: number): SourceError {
    const advice =
      status === 401 || status === 403
        ? 'It needs a permission that this address does not carry.'
        : 'Check the address and the server.'
    return new SourceError('source.failed', `The server answered ${status} for ${this.#url(path)}. ${advice}`)
  }

  #ignoresRange(path: string, size?: number): SourceError {
    return new SourceError(
      'source.failed',
      `The server of ${this.#url(path)} ignores range requests and sent the whole file` +
        `${size === undefined ? '' : ` of ${size} bytes`}. Weights are read in parts: use a server that supports ` +
        'ranges (nginx, Caddy, object stores; not "python -m http.server").',
    )
  }

  #interruption(error: Interrupted, path: string, from: number, end: number): Error {
    const what = `Reading ${baseName(path)} from ${this.#url(path)} failed ${ATTEMPTS} times at byte ${from}`
    if (error.truncated) {
      return new CheckpointError(
        'checkpoint.truncated',
        `${what}: the server's answer ends there, before byte ${end}. Try again, or look at the server's copy.`,
        { cause: error.cause },
      )
    }
    return new SourceError(
      'source.failed',
      `${what}: ${messageOf(error.cause)}. Check the network and the address; a page can read from another ` +
        'origin only where that server allows it (CORS).',
      { cause: error.cause },
    )
  }
}

/** A failure of the connection after which asking again makes sense. */
class Interrupted extends Error {
  constructor(
    cause: unknown,
    readonly truncated = false,
  ) {
    super('interrupted', { cause })
  }
}

/** The first `byteLength` bytes of a response's body. */
async function* bodyOf(
  response: Response,
  byteLength: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader()
  try {
    for (let left = byteLength; left > 0; ) {
      // Node and browsers report a body cut before its Content-Length as a failed read.
      const chunk = await reader?.read().catch((error) => {
        throw isAbort(error, signal) ? error : new Interrupted(error, true)
      })
      if (chunk?.value === undefined) throw new Interrupted(undefined, true)
      const part = chunk.value.subarray(0, left)
      left -= part.byteLength
      yield part
    }
  } finally {
    await reader?.cancel().catch(() => {})
  }
}

/** Parses a Content-Range, also that of an unsatisfied range, which has an asterisk for START-END. */
function parseContentRange(header: string | null): { start: number; size: number } | undefined {
  const match = /^bytes (?:(\d{1,15})-\d{1,15}|\*)\/(\d{1,15})$/.exec(header ?? '')
  return match === null ? undefined : { start: Number(match[1] ?? 0), size: Number(match[2]) }
}

/** A part of a URL's path as a file name; a part that is not validly escaped stands for itself. */
function decodeName(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds)
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
  signal?.throwIfAborted()
}
