import { randomUUID } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Generation } from '../runtime/generate/index.js'
import type { ApiError } from './api-error.js'
import type { Target } from './catalog.js'
import type { RequestRecord } from './request-log.js'

/** Status of a request whose client went away, as nginx logs it. */
export const CLIENT_GONE = 499

/** Numbers of tokens, in OpenAI's form. */
export interface Usage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly total_tokens: number
  readonly prompt_tokens_details: { readonly cached_tokens: number }
}

/** What is counted of an answer. */
type CountedGeneration = Pick<Generation, 'ids' | 'promptTokens' | 'cachedTokens'>

/** A request from its coming to its end: what it is answered with, and what the log and the metrics count. */
export class Work {
  readonly id = randomUUID()
  readonly time = new Date()
  readonly #controller = new AbortController()
  readonly #started = performance.now()
  target: Target | undefined
  stream: boolean | undefined
  error: ApiError | undefined
  /** The field of the request that says what the answer must look like. */
  constraintField: string | undefined
  finishReasons: string[] = []
  answers: string[] = []
  promptTokens = 0
  cachedTokens = 0
  completionTokens = 0
  #firstPiece: number | undefined
  #lastPiece = this.#started

  /** Fires when nobody waits for the answer any more, or the server ends. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get milliseconds(): number {
    return performance.now() - this.#started
  }

  /** To the first piece of its answer; undefined before that. */
  get firstPieceMilliseconds(): number | undefined {
    return this.#firstPiece === undefined ? undefined : this.#firstPiece - this.#started
  }

  /** From the first piece of its answer to the last. */
  get answerMilliseconds(): number {
    return this.#lastPiece - (this.#firstPiece ?? this.#lastPiece)
  }

  get usage(): Usage {
    const { promptTokens, completionTokens, cachedTokens } = this
    return {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens },
    }
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  /** A piece of an answer came. */
  piece(): void {
    this.#lastPiece = performance.now()
    this.#firstPiece ??= this.#lastPiece
  }

  /**
   * An answer is complete.
   * @param countsPrompt whether its prompt is to be counted: the answers to one prompt share it
   */
  complete(generation: CountedGeneration, finishReason: string, answer: string, countsPrompt: boolean): void {
    this.piece()
    this.completionTokens += generation.ids.length
    this.finishReasons.push(finishReason)
    this.answers.push(answer)
    if (!countsPrompt) return
    this.promptTokens += generation.promptTokens
    this.cachedTokens += generation.cachedTokens
  }

  /** What the log says of it. */
  record(request: FastifyRequest, status: number, withContents: boolean): RequestRecord {
    const { target, stream, error, finishReasons } = this
    const cause = error?.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined
    return {
      time: this.time.toISOString(),
      id: this.id,
      method: request.method,
      route: request.routeOptions.url ?? request.url.split('?')[0],
      status,
      milliseconds: Math.round(this.milliseconds),
      client: request.ip,
      ...(target && { model: target.model }),
      ...(target?.served && { prefix: target.served.name }),
      ...(stream !== undefined && { stream }),
      ...(finishReasons.length > 0 && {
        promptTokens: this.promptTokens,
        cachedTokens: this.cachedTokens,
        completionTokens: this.completionTokens,
        finishReasons,
      }),
      ...(this.firstPieceMilliseconds !== undefined && {
        firstTokenMilliseconds: Math.round(this.firstPieceMilliseconds),
      }),
      ...(error && { error: error.code }),
      ...(cause !== undefined && status >= 500 && { cause }),
      ...(withContents && { request: request.body, answers: this.answers }),
    }
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    work: Work
  }
}
