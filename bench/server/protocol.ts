/** What the benchmark and its clients, which are another process, tell each other. */

/** Clients that ask at the same time, one a prompt. */
export interface TogetherJob {
  readonly kind: 'together'
  readonly url: string
  readonly prompts: readonly string[]
  readonly tokens: number
}

/** A client that asks while others read their answers, several times. */
export interface ArrivalJob {
  readonly kind: 'arrival'
  readonly url: string
  /** Of those who read. */
  readonly prompts: readonly string[]
  readonly tokens: number
  /** Of the one that arrives, one after the other. */
  readonly arriving: readonly string[]
}

export type ClientJob = TogetherJob | ArrivalJob

/** An answer as a client saw it; milliseconds by its clock. */
export interface StreamTimes {
  readonly asked: number
  /** When the first piece of text came. */
  readonly first: number
  readonly last: number
  readonly promptTokens: number
  readonly tokens: number
  /** Pieces of text. */
  readonly pieces: number
}

export interface ArrivalTimes {
  /** From the question to the first piece of its answer, each. */
  readonly firstMs: readonly number[]
  readonly promptTokens: number
  /** Answers that were under way all the time. */
  readonly underWay: number
}

export type ClientResult =
  | { readonly kind: 'together'; readonly answers: readonly StreamTimes[] }
  | ({ readonly kind: 'arrival' } & ArrivalTimes)
  | { readonly kind: 'failed'; readonly message: string }
