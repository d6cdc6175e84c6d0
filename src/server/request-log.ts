/** What the log says of a request: numbers and names, nothing of what was said. */
export interface RequestRecord {
  /** When it came, as ISO 8601. */
  readonly time: string
  readonly id: string
  readonly method: string
  /** The route, or the path where there is no such route. */
  readonly route: string
  /** Status of HTTP; 499 for a client that went away before its answer was complete. */
  readonly status: number
  /** From its coming to the last byte of its answer. */
  readonly milliseconds: number
  /** Where the client is. */
  readonly client: string
  readonly model?: string
  readonly prefix?: string
  readonly stream?: boolean
  readonly promptTokens?: number
  readonly cachedTokens?: number
  readonly completionTokens?: number
  /** To the first piece of its answer. */
  readonly firstTokenMilliseconds?: number
  readonly finishReasons?: readonly string[]
  /** The code of the error that it was answered with. */
  readonly error?: string
  /** What went wrong in the server, for whoever runs it. */
  readonly cause?: string
  /** Only where contents were asked for. */
  readonly request?: unknown
  readonly answers?: readonly string[]
}
