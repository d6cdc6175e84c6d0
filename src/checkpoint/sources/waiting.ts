/** Waits that end: by their work, by the caller's signal, or because nothing comes any more. */

/** Waits for work, but no longer than until the signal is aborted. @throws the signal's reason */
export async function heed<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work
  // Nobody waits for it after an abort, and then its failure must not count as unhandled.
  work.catch(() => {})
  signal.throwIfAborted()
  let end = () => {}
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(signal.reason)
    signal.addEventListener('abort', end)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Does nothing for a while. @throws the signal's reason */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await heed(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, milliseconds)
      }),
      signal,
    )
  } finally {
    clearTimeout(timer)
  }
}

/** A question that several callers wait for. It is given up when all of them were aborted. */
export class SharedQuestion<T> {
  readonly answer: Promise<T>
  readonly #control = new AbortController()
  #waiting = 0

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.answer = ask(this.#control.signal)
    this.answer.catch(() => {})
  }

  /** Whether it was given up: who comes now must ask anew. */
  get isOver(): boolean {
    return this.#control.signal.aborted
  }

  async wait(signal?: AbortSignal): Promise<T> {
    this.#waiting++
    try {
      return await heed(this.answer, signal)
    } finally {
      if (--this.#waiting === 0 && signal?.aborted) this.#control.abort(signal.reason)
    }
  }
}

/** Fewer bytes than this within the stall timeout count as none: a server that trickles is silent, too. */
const LEAST_BYTES = 4096

/** Watches over one request and the body that it brings: it ends it where the other side is silent. */
export class StallWatch {
  readonly #control = new AbortController()
  readonly #timeout: number
  #left: number
  #bytes = 0

  /** @param timeout milliseconds of waiting without anything of note coming */
  constructor(
    timeout: number,
    private readonly caller: AbortSignal | undefined,
  ) {
    this.#timeout = timeout
    this.#left = timeout
  }

  /** Ends the request, for `fetch`. */
  get signal(): AbortSignal {
    return this.#control.signal
  }

  /**
   * Waits for something of the other side. Time that the caller takes in between does not count.
   *
   * @throws StalledError, the caller's reason, or what the work throws
   */
  async during<T>(work: Promise<T>): Promise<T> {
    const begun = performance.now()
    const timer = setTimeout(() => this.#control.abort(new StalledError(this.#timeout)), this.#left)
    const abort = () => this.#control.abort(this.caller?.reason)
    this.caller?.addEventListener('abort', abort)
    if (this.caller?.aborted) abort()
    try {
      return await heed(work, this.#control.signal)
    } finally {
      clearTimeout(timer)
      this.caller?.removeEventListener('abort', abort)
      this.#left = Math.max(0, this.#left - (performance.now() - begun))
    }
  }

  /** Counts what came. */
  receive(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes < LEAST_BYTES) return
    this.#bytes = 0
    this.#left = this.#timeout
  }
}

/** The other side was silent for too long. */
export class StalledError extends Error {
  override readonly name = 'StalledError'
  constructor(timeout: number) {
    super(`nothing came for ${timeout / 1000} s`)
  }
}
