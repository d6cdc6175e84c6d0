import { CheckpointError, SourceError } from '../../errors/index.js'
import { isNode } from '../../platform/index.js'
import { messageOf } from '../errors.js'
import { WELL_KNOWN_FILES } from '../formats/checkpoint-files.js'
import { isJsonObject, parseJson } from '../formats/json.js'
import { baseName, normalizePath } from '../paths.js'
import { type ByteSource, checkRange, readFile } from './byte-source.js'
import {
  type Answer,
  bodyOf,
  discard,
  Interrupted,
  Retries,
  request,
  STALL_TIMEOUT,
  wholeBody,
} from './http-requests.js'
import { showUrl } from './show-url.js'
import { SharedQuestion, StalledError } from './waiting.js'

export interface HttpOptions {
  /**
   * Milliseconds without anything coming after which a request is given up and made again, at most twice. Default:
   * 30,000.
   */
  readonly stallTimeout?: number
}

/** What tells versions of a file apart (RFC 9110, 8.8). */
interface Version {
  readonly etag: string | null
  readonly modified: string | null
}

/** Up to this size a file is also taken from a server that sends only whole files. */
const WHOLE_FILE_BYTES = 16 * 1024 * 1024
/** An index or manifest of a checkpoint is far smaller than this. */
const INDEX_BYTES = 8 * 1024 * 1024

/**
 * Files below a URL, read with HTTP range requests (RFC 9110, section 14). A range whose connection breaks is
 * continued where it broke. A file that changes on the server meanwhile is an error.
 */
export class HttpSource implements ByteSource {
  readonly distant = true
  readonly name: string
  readonly file?: string
  protected readonly stallTimeout: number
  /** Sent with every request. `fetch` leaves `Authorization` out where a server sends it on to another one. */
  protected readonly headers: Readonly<Record<string, string>>
  readonly #base: string
  readonly #query: string
  readonly #sizes = new Map<string, SharedQuestion<number | undefined>>()
  readonly #versions = new Map<string, Version>()
  readonly #wholeFiles = new Map<string, Uint8Array>()

  /**
   * @param url a folder, or one file by its ending: `.safetensors`, `.bin`, `.gguf`, `.pt`, `.pth` or `.json`. A query
   * (a signature, a token) is sent with every request.
   * @param headers sent with every request
   */
  constructor(
    url: URL,
    { stallTimeout = STALL_TIMEOUT }: HttpOptions = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.stallTimeout = stallTimeout
    this.headers = headers
    const parts = url.pathname.split('/')
    const last = decodeName(parts[parts.length - 1] ?? '')
    if (/\.(safetensors|bin|gguf|pt|pth|json)$/i.test(last)) {
      this.file = last
      parts.pop()
    }
    this.#base = `${url.origin}${parts.join('/').replace(/\/*$/, '')}/`
    this.#query = url.search
    this.name = this.#base
  }

  /** What to do where the server refuses. */
  protected get permissionAdvice(): string {
    return 'It needs a permission that this address does not carry.'
  }

  /** What to do where the server cannot be reached. */
  protected get networkAdvice(): string {
    return isNode
      ? `Check the network and the address.${proxyAdvice()}`
      : 'Check the network and the address; a page can read from another origin only where that server allows it (CORS).'
  }

  /** The files that a manifest or an index names, or else the usual ones that exist: HTTP has no listing. */
  async list(signal?: AbortSignal): Promise<string[]> {
    const names = new Set<string>()
    const present = await Promise.all(WELL_KNOWN_FILES.map((name) => this.has(name, signal)))
    for (const [i, name] of WELL_KNOWN_FILES.entries()) if (present[i]) names.add(name)
    for (const name of [...names]) {
      if (name !== 'manifest.json' && !name.endsWith('.index.json')) continue
      const json = parseJson(await readFile(this, name, INDEX_BYTES, signal), name)
      if (!isJsonObject(json)) continue
      const found = isJsonObject(json.weight_map)
        ? Object.values(json.weight_map)
        : Object.keys(isJsonObject(json.files) ? json.files : {})
      for (const path of found) if (typeof path === 'string') names.add(normalizePath(path))
    }
    if (this.file !== undefined) names.add(this.file)
    return [...names].filter((path) => !path.includes('/')).sort()
  }

  async has(path: string, signal?: AbortSignal): Promise<boolean> {
    return (await this.#size(path, signal)) !== undefined
  }

  async size(path: string, signal?: AbortSignal): Promise<number> {
    const size = await this.#size(path, signal)
    if (size === undefined) {
      throw new SourceError(
        'source.failed',
        `There is no file at ${this.#shown(path)} (the server answered 404 or 403). Check the address.`,
      )
    }
    return size
  }

  async read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted()
    checkRange(this, path, start, end, await this.size(path, signal))
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
    const size = await this.size(path, signal)
    checkRange(this, path, start, end, size)
    const whole = this.#wholeFiles.get(normalizePath(path))
    if (whole !== undefined) return void (yield whole.subarray(start, end))
    const retries = new Retries()
    for (let at = start; at < end; ) {
      const before = at
      try {
        for await (const chunk of this.#receive(path, at, end, size, signal)) {
          at += chunk.byteLength
          yield chunk
        }
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
        if (!(await retries.again(error, at - before, signal))) {
          throw this.#interruption(error, retries.count, path, at, end)
        }
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
    const answer = await this.#fetch(path, { Range: `bytes=${start}-${end - 1}` }, signal)
    const { response } = answer
    const problem = this.#problemOf(path, start, size, response)
    if (problem) {
      await discard(response)
      throw problem
    }
    yield* bodyOf(answer, end - start, signal)
  }

  /** What is wrong with the answer to a request for a range from `start` on. */
  #problemOf(path: string, start: number, size: number, response: Response): SourceError | undefined {
    const { status, headers } = response
    const range = parseContentRange(headers.get('Content-Range'))
    const before = this.#versions.get(normalizePath(path))
    const isSame = before === undefined || !differ(before, versionOf(response))
    if ((status === 200 || status === 206) && !isSame) return this.#changed(path)
    if (status === 416 && range !== undefined && range.size !== size) return this.#changed(path)
    if (status === 200) return this.#ignoresRange(path, size)
    if (status !== 206) return this.#badStatus(path, status)
    if (range === undefined || (range.start === start && range.size === size)) return undefined
    return new SourceError(
      'source.failed',
      `The server sent another part of ${this.#shown(path)} than asked for, or the file changed meanwhile ` +
        `(bytes ${start} of ${size} expected, ${range.start} of ${range.size} sent). Load the checkpoint again.`,
    )
  }

  /** What is known of the file is forgotten, so that it can be read anew. */
  #changed(path: string): SourceError {
    const normal = normalizePath(path)
    for (const known of [this.#sizes, this.#versions, this.#wholeFiles]) known.delete(normal)
    return new SourceError(
      'source.failed',
      `${this.#shown(path)} changed on the server while it was read. What was read of it belongs to the file before: ` +
        'load the checkpoint again.',
    )
  }

  /** The size of a file, `undefined` where the server has none. Known sizes are kept. */
  #size(path: string, signal?: AbortSignal): Promise<number | undefined> {
    const normal = normalizePath(path)
    let question = this.#sizes.get(normal)
    if (question === undefined || question.isOver) {
      const asked = new SharedQuestion((shared) => this.#askSize(normal, shared))
      asked.answer.catch(() => {
        if (this.#sizes.get(normal) === asked) this.#sizes.delete(normal)
      })
      this.#sizes.set(normal, asked)
      question = asked
    }
    return question.wait(signal)
  }

  async #askSize(path: string, signal: AbortSignal): Promise<number | undefined> {
    const retries = new Retries()
    for (;;) {
      try {
        return await this.#probe(path, signal)
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error
        if (!(await retries.again(error, 0, signal))) {
          throw this.#interruption(error, retries.count, path, 0, 1)
        }
      }
    }
  }

  /**
   * Asks for one byte instead of sending HEAD: the answer to a range request has the size of the uncompressed
   * file, shows whether ranges work, and also comes from servers with links signed for GET alone.
   */
  async #probe(path: string, signal: AbortSignal): Promise<number | undefined> {
    const answer = await this.#fetch(path, { Range: 'bytes=0-0' }, signal)
    const { response } = answer
    if (response.ok) this.#versions.set(path, versionOf(response))
    if (response.status === 200) return this.#takeWhole(path, answer, signal)
    await discard(response)
    // Object stores answer 403 for a missing file where listing is not allowed.
    if (response.status === 404 || response.status === 410 || response.status === 403) return undefined
    const range = parseContentRange(response.headers.get('Content-Range'))
    if (response.status === 416 && range?.size === 0) return 0
    if (response.status !== 206) throw this.#badStatus(path, response.status)
    if (range !== undefined) return range.size
    // Across origins a server may hide Content-Range, but never Content-Length.
    const { response: head } = await this.#fetch(path, {}, signal, 'HEAD')
    const length = head.headers.get('Content-Length')
    if (head.ok && length !== null && /^\d{1,15}$/.test(length)) return Number(length)
    throw new SourceError(
      'source.failed',
      `The server does not tell the size of ${this.#shown(path)}. ` +
        'It must send Content-Range, and across origins "Access-Control-Expose-Headers: Content-Range".',
    )
  }

  /** A small file from a server that ignores `Range`; a large one would be sent anew for every read. */
  async #takeWhole(path: string, answer: Answer, signal: AbortSignal): Promise<number> {
    const whole = await wholeBody(answer, WHOLE_FILE_BYTES, signal)
    if (whole === undefined) throw this.#ignoresRange(path)
    this.#wholeFiles.set(path, whole)
    return whole.byteLength
  }

  #fetch(
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
    method = 'GET',
  ): Promise<Answer> {
    return request(
      this.#url(path),
      { method, headers: { ...this.headers, ...headers } },
      this.stallTimeout,
      signal,
    )
  }

  /** The address of a file in messages. */
  #shown(path: string): string {
    return showUrl(this.#url(path))
  }

  #url(path: string): string {
    const encoded = normalizePath(path).split('/').map(encodeURIComponent).join('/')
    return `${this.#base}${encoded}${this.#query}`
  }

  #badStatus(path: string, status: number): SourceError {
    const advice =
      status === 401 || status === 403 ? this.permissionAdvice : 'Check the address and the server.'
    return new SourceError(
      'source.failed',
      `The server answered ${status} for ${this.#shown(path)}. ${advice}`,
    )
  }

  #ignoresRange(path: string, size?: number): SourceError {
    return new SourceError(
      'source.failed',
      `The server of ${this.#shown(path)} ignores range requests and sent the whole file` +
        `${size === undefined ? '' : ` of ${size} bytes`}. Weights are read in parts: use a server that supports ` +
        'ranges (nginx, Caddy, object stores; not "python -m http.server").',
    )
  }

  #interruption(error: Interrupted, times: number, path: string, from: number, end: number): Error {
    const what = `Reading ${baseName(path)} from ${this.#shown(path)} failed ${times} times at byte ${from}`
    if (error.truncated && !(error.cause instanceof StalledError)) {
      return new CheckpointError(
        'checkpoint.truncated',
        `${what}: the server's answer ends there, before byte ${end}. Try again, or look at the server's copy.`,
        { cause: error.cause },
      )
    }
    return new SourceError('source.failed', `${what}: ${messageOf(error.cause)}. ${this.networkAdvice}`, {
      cause: error.cause,
    })
  }
}

/** Node's `fetch` takes no notice of the variables that other programs find their proxy by, unless it is told to. */
function proxyAdvice(): string {
  const { HTTPS_PROXY, https_proxy, NODE_USE_ENV_PROXY } = process.env
  if (!(HTTPS_PROXY ?? https_proxy) || NODE_USE_ENV_PROXY) return ''
  return ' HTTPS_PROXY is set: Node 24 and later use it where NODE_USE_ENV_PROXY=1 is set, too.'
}

function versionOf({ headers }: Response): Version {
  return { etag: headers.get('ETag'), modified: headers.get('Last-Modified') }
}

/** Whether two answers are certainly of different files. Across origins a server may hide the tag. */
function differ(a: Version, b: Version): boolean {
  const opaque = (etag: string) => etag.replace(/^W\//, '')
  if (a.etag !== null && b.etag !== null) return opaque(a.etag) !== opaque(b.etag)
  return a.modified !== null && b.modified !== null && a.modified !== b.modified
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
