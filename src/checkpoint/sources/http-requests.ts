import { SourceError } from '../../errors/index.js'
import { isAbort } from '../errors.js'
import { pause, StallWatch } from './waiting.js'

/** Milliseconds without anything coming after which a request is given up. */
export const STALL_TIMEOUT = 30_000
/** How often in a row a request may bring next to nothing before a read fails. */
export const ATTEMPTS = 3
/** What a request must bring so that those before it are forgotten; a whole part of less counts as well. */
const PROGRESS_BYTES = 64 * 1024
const RETRY_DELAY_MS = 250
/** How often a server may say that it is busy: with the pauses between, for a minute and a half. */
const BUSY_ATTEMPTS = 9
const BUSY_DELAY_MS = 500
const MAX_BUSY_DELAY_MS = 32_000
/** Longer than this nobody is kept waiting for what `Retry-After` says. */
const MAX_RETRY_AFTER_MS = 10 * 60_000

/** A failure after which asking again makes sense. */
export class Interrupted extends Error {
  constructor(
    cause: unknown,
    readonly truncated = false,
    /** For a server that is busy, the milliseconds after which it wants to be asked again, if it says so. */
    readonly busy?: { readonly retryAfter: number | undefined },
  ) {
    super('interrupted', { cause })
  }
}

/** An answer, and the watch over its body. */
export interface Answer {
  readonly response: Response
  readonly watch: StallWatch
}

/**
 * Sends a request and waits for the head of its answer.
 *
 * @throws Interrupted where there is none, and for 429 and 5xx
 */
export async function request(
  url: string | URL,
  init: { readonly method?: string; readonly headers?: Record<string, string> },
  stallTimeout: number,
  signal?: AbortSignal,
): Promise<Answer> {
  signal?.throwIfAborted()
  const watch = new StallWatch(stallTimeout, signal)
  let response: Response
  try {
    response = await watch.during(fetch(url, { ...init, signal: watch.signal }))
  } catch (error) {
    if (signal?.aborted) throw isAbort(error, signal) ? error : signal.reason
    throw new Interrupted(error)
  }
  if (response.status === 429 || response.status >= 500) {
    await discard(response)
    const isBusy = response.status === 429 || response.status === 503
    const retryAfter = parseRetryAfter(response.headers.get('Retry-After'))
    const cause = new Error(`the server answered ${response.status}`)
    throw isBusy ? new Interrupted(cause, false, { retryAfter }) : new Interrupted(cause)
  }
  return { response, watch }
}

/** The body of an answer as it comes, `byteLength` bytes of it. @throws Interrupted where it ends before */
export async function* bodyOf(
  { response, watch }: Answer,
  byteLength: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = response.body?.getReader()
  try {
    for (let left = byteLength; left > 0; ) {
      // Node and browsers report a body cut before its Content-Length as a failed read.
      const chunk = reader && (await watch.during(reader.read()).catch((error) => interrupt(error, signal)))
      if (chunk?.value === undefined) throw new Interrupted(undefined, true)
      watch.receive(chunk.value.byteLength)
      const part = chunk.value.subarray(0, left)
      left -= part.byteLength
      yield part
    }
  } finally {
    reader?.cancel().catch(() => {})
  }
}

/**
 * The whole body of an answer.
 *
 * @param limit the most bytes
 * @returns undefined where it has more
 * @throws Interrupted where it breaks
 */
export async function wholeBody(
  { response, watch }: Answer,
  limit: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = response.body?.getReader()
  try {
    while (reader) {
      const { value } = await watch.during(reader.read()).catch((error) => interrupt(error, signal))
      if (value === undefined) break
      watch.receive(value.byteLength)
      size += value.byteLength
      if (size > limit) return undefined
      chunks.push(value)
    }
  } finally {
    reader?.cancel().catch(() => {})
  }
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

function interrupt(error: unknown, signal: AbortSignal | undefined): never {
  if (signal?.aborted) throw isAbort(error, signal) ? error : signal.reason
  throw new Interrupted(error, true)
}

/** Leaves a body unread. It is not waited for, as a server that is silent does not end it either. */
export async function discard(response: Response): Promise<void> {
  response.body?.cancel().catch(() => {})
}

/** Decides whether a request is made again, and waits until then. */
export class Retries {
  #failures = 0
  #busy = 0

  /**
   * @param received bytes that the interrupted request had brought
   * @returns false where it has failed too often
   * @throws `source.failed` where the server asks for a longer wait than anybody has; the signal's reason
   */
  async again(error: Interrupted, received: number, signal?: AbortSignal): Promise<boolean> {
    if (received >= PROGRESS_BYTES) this.#failures = this.#busy = 0
    if (error.busy === undefined) {
      if (++this.#failures >= ATTEMPTS) return false
      await pause(RETRY_DELAY_MS * 2 ** (this.#failures - 1), signal)
      return true
    }
    if (++this.#busy >= BUSY_ATTEMPTS) return false
    const { retryAfter = Math.min(MAX_BUSY_DELAY_MS, BUSY_DELAY_MS * 2 ** (this.#busy - 1)) } = error.busy
    if (retryAfter > MAX_RETRY_AFTER_MS) {
      throw new SourceError(
        'source.failed',
        `The server is busy and wants to be asked again in ${Math.ceil(retryAfter / 60_000)} minutes. Try again then.`,
        { cause: error.cause },
      )
    }
    await pause(retryAfter, signal)
    return true
  }

  /** How often it was asked in vain. */
  get count(): number {
    return this.#failures + this.#busy
  }
}

/** Parses `Retry-After`, seconds or a date (RFC 9110, 10.2.3), to milliseconds from now. */
function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now())
}
