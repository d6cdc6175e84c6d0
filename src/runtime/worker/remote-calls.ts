import { type Remote, releaseProxy, wrap } from 'comlink'
import { WorkerFailedError } from './errors.js'
import type { ModelHost } from './model-host.js'
import { unwrap } from './outcome.js'
import type { Answer, CallId, ModelState } from './protocol.js'

/** The page's end of the line to a worker: calls that can be aborted, and that fail when the worker does. */
export class RemoteCalls {
  readonly worker: Worker
  /** What the model told of itself last. */
  state: ModelState | undefined
  /** Rejected when the worker ends, or the model in it. */
  readonly ended: Promise<never>
  readonly #host: Remote<ModelHost>
  #reason: Error | undefined
  #reject: (reason: Error) => void = () => {}
  #lastId = 0

  constructor(worker: Worker) {
    this.worker = worker
    this.#host = wrap<ModelHost>(worker)
    this.ended = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.ended.catch(() => {})
    worker.addEventListener('error', this.#onError)
    worker.addEventListener('messageerror', this.#onError)
  }

  /** Tells the worker something that needs no answer. */
  tell(call: (host: Remote<ModelHost>) => Promise<unknown>): void {
    if (!this.#reason) call(this.#host).catch(() => {})
  }

  /** The value that the worker answers; throws its error, or the reason for which the worker ended. */
  async ask<T>(call: (host: Remote<ModelHost>) => Promise<Answer<T>>): Promise<T> {
    if (this.#reason) throw this.#reason
    const answer = call(this.#host)
    // A call that is given up on must not fail unseen later.
    answer.catch(() => {})
    const outcome = await Promise.race([answer, this.ended])
    this.state = outcome.state ?? this.state
    return unwrap(outcome)
  }

  /**
   * Makes the signal abort the call of a number in the worker.
   * @returns what ends that, and makes of an error what is to be thrown: the signal's reason for an abort
   */
  abortable(signal: AbortSignal | undefined): {
    id: CallId
    end: () => void
    reason: (error: unknown) => unknown
  } {
    signal?.throwIfAborted()
    const id = ++this.#lastId
    const abort = () => this.tell((host) => host.abort(id))
    signal?.addEventListener('abort', abort)
    return {
      id,
      end: () => signal?.removeEventListener('abort', abort),
      reason: (error) => (signal?.aborted && (error as Error).name === 'AbortError' ? signal.reason : error),
    }
  }

  /** Asks for something that the signal aborts. */
  async call<T>(
    signal: AbortSignal | undefined,
    call: (host: Remote<ModelHost>, id: CallId) => Promise<Answer<T>>,
  ): Promise<T> {
    const { id, end, reason } = this.abortable(signal)
    try {
      return await this.ask((host) => call(host, id))
    } catch (error) {
      throw reason(error)
    } finally {
      end()
    }
  }

  /** Lets every call under way and every later one fail. */
  end(reason: Error): void {
    if (this.#reason) return
    this.#reason = reason
    this.#reject(reason)
    this.worker.removeEventListener('error', this.#onError)
    this.worker.removeEventListener('messageerror', this.#onError)
    this.#host[releaseProxy]()
  }

  readonly #onError = (event: Event) => {
    const { message } = event as Partial<ErrorEvent>
    this.end(new WorkerFailedError(message || 'its script could not be loaded'))
  }
}
