import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'

/** How long a request that asks for a stream may be answered with a status still, in milliseconds. */
const PATIENCE = 1000

export interface EventStreamTimeouts {
  readonly ping: number
  readonly stall: number
}

/**
 * An answer of server-sent events. It begins with the first event, or after a moment without one: what is wrong with a
 * request shows at once, and has a status of its own then. Whoever sends waits while the reader is slow.
 */
export class EventStream {
  readonly #reply: FastifyReply
  readonly #raw: ServerResponse
  readonly #timeouts: EventStreamTimeouts
  readonly #signal: AbortSignal
  readonly #patience: NodeJS.Timeout
  #ping: NodeJS.Timeout | undefined
  /** The wait for a slow reader, which all who send share. */
  #drained: Promise<void> | undefined

  /** @param signal fires when the client goes away */
  constructor(reply: FastifyReply, timeouts: EventStreamTimeouts, signal: AbortSignal) {
    this.#reply = reply
    this.#raw = reply.raw
    this.#timeouts = timeouts
    this.#signal = signal
    this.#patience = setTimeout(() => this.open(), PATIENCE)
  }

  /** Whether a status was sent. */
  get opened(): boolean {
    return this.#raw.headersSent
  }

  /** Sends status and headers. */
  open(): void {
    clearTimeout(this.#patience)
    if (this.opened || this.#raw.destroyed) return
    this.#reply.hijack()
    const headers = {
      ...this.#reply.getHeaders(),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      // Otherwise nginx collects events before it passes them on.
      'x-accel-buffering': 'no',
    }
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#raw.setHeader(name, value)
    }
    this.#raw.flushHeaders()
    this.#ping = setInterval(() => {
      // A comment, which clients leave out; it keeps those between from ending the connection.
      if (!this.#raw.writableNeedDrain) this.#raw.write(': ping\n\n')
    }, this.#timeouts.ping).unref()
  }

  /** Sends an event, and waits until the reader can take more. */
  async send(data: unknown): Promise<void> {
    this.open()
    this.#signal.throwIfAborted()
    this.#ping?.refresh()
    if (this.#raw.write(`data: ${JSON.stringify(data)}\n\n`)) return
    this.#drained ??= this.#drain().finally(() => {
      this.#drained = undefined
    })
    await this.#drained
  }

  /** Ends the stream as OpenAI's clients expect it. */
  end(): void {
    this.open()
    this.#stop()
    this.#raw.end('data: [DONE]\n\n')
  }

  /** Ends the stream with an error, where it has begun already. */
  fail(body: unknown): void {
    this.#stop()
    if (this.opened && !this.#raw.writableEnded && !this.#raw.destroyed)
      this.#raw.end(`data: ${JSON.stringify(body)}\n\n`)
  }

  #stop(): void {
    clearTimeout(this.#patience)
    clearInterval(this.#ping)
  }

  async #drain(): Promise<void> {
    // Whoever takes nothing for so long holds a place that others wait for.
    const stalled = setTimeout(() => this.#raw.destroy(), this.#timeouts.stall)
    try {
      await once(this.#raw, 'drain', { signal: this.#signal })
    } finally {
      clearTimeout(stalled)
    }
  }
}
