import { type Endpoint, type Remote, wrap } from 'comlink'
import { ChatGLMError, hasCode, invalidOption } from '../../errors/index.js'
import { workerFailed } from './errors.js'
import { type Outcome, unwrap } from './outcome.js'

/** Names a call, so that it can be aborted while it runs. */
export type CallId = number

/** What a worker offers, as this line uses it. */
interface Abortable {
  abort(id: CallId): void
}

/** A worker as this line uses it: a Web Worker, or a process that behaves like one. */
export interface WorkerLike extends Endpoint {
  terminate(): void
}

/** Something to ask a worker. */
export type Question<Host, Answer> = (host: Remote<Host>) => Promise<Answer>

/**
 * Kept as long as their worker: comlink tells a worker to stop listening when the last proxy of it is collected, and a
 * worker of the caller's own may be given again.
 */
const hosts = new WeakMap<WorkerLike, Remote<unknown>>()

function hostOf<Host>(worker: WorkerLike): Remote<Host> {
  const host = hosts.get(worker) ?? wrap<unknown>(worker)
  hosts.set(worker, host)
  return host as Remote<Host>
}

/** What cannot be sent to a worker: a function within options, or a proxy that throws when it is copied. */
function refuseUnsendable(error: unknown): never {
  if (error instanceof ChatGLMError || (error as Error | undefined)?.name === 'AbortError') throw error
  throw invalidOption(
    'arguments',
    (error as Error | undefined)?.message,
    'plain data, which a worker can be sent',
  )
}

/** The page's end of the line to a worker: calls that can be aborted, and that fail when the worker does. */
export class WorkerLine<Host extends Abortable> {
  readonly worker: WorkerLike
  /** Rejected when the worker ends, or what was in it. */
  readonly ended: Promise<never>
  readonly #host: Remote<Host>
  #reason: Error | undefined
  #reject: (reason: Error) => void = () => {}
  #lastId = 0

  constructor(worker: WorkerLike) {
    this.worker = worker
    this.#host = hostOf<Host>(worker)
    this.ended = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.ended.catch(() => {})
    worker.addEventListener('error', this.#onError)
    worker.addEventListener('messageerror', this.#onError)
  }

  /** Tells the worker something that needs no answer. */
  tell(question: Question<Host, unknown>): void {
    if (!this.#reason) question(this.#host).catch(() => {})
  }

  /** What the worker answers; throws the reason for which it ended. */
  async ask<Answer>(question: Question<Host, Answer>): Promise<Answer> {
    if (this.#reason) throw this.#reason
    // Comlink looks at some arguments at once and at others while it sends them.
    const answer = (async () => question(this.#host))().catch(refuseUnsendable)
    // A call that is given up on must not fail unseen later.
    answer.catch(() => {})
    return Promise.race([answer, this.ended])
  }

  /** Asks for something that the signal aborts. */
  async call<T>(
    signal: AbortSignal | undefined,
    question: (host: Remote<Host>, id: CallId) => Promise<Outcome<T>>,
  ): Promise<T> {
    const { id, end, reason } = this.abortable(signal)
    try {
      return unwrap(await this.ask((host) => question(host, id)))
    } catch (error) {
      throw reason(error)
    } finally {
      end()
    }
  }

  /**
   * Makes the signal abort the call of a number in the worker.
   * @returns what ends that, and what makes of an error what is to be thrown: the signal's reason for an abort
   */
  abortable(signal: AbortSignal | undefined): {
    id: CallId
    end: () => void
    reason: (error: unknown) => unknown
  } {
    signal?.throwIfAborted()
    const id = ++this.#lastId
    const abort = () => this.tell((host) => (host as Remote<Abortable>).abort(id))
    signal?.addEventListener('abort', abort)
    return {
      id,
      end: () => signal?.removeEventListener('abort', abort),
      reason: (error) => (signal?.aborted && (error as Error).name === 'AbortError' ? signal.reason : error),
    }
  }

  /** Lets every call under way and every later one fail. */
  end(reason: Error): void {
    if (this.#reason) return
    this.#reason = reason
    this.#reject(reason)
    this.worker.removeEventListener('error', this.#onError)
    this.worker.removeEventListener('messageerror', this.#onError)
  }

  readonly #onError = (event: Event) => {
    const { message, error } = event as Partial<ErrorEvent>
    // A process knows better than a page's worker what it failed with.
    const isTold = hasCode(error, 'device.worker-failed')
    this.end(isTold ? error : workerFailed(message || 'its script could not be loaded'))
  }
}
