import { OptionError } from '../../errors/index.js'

/**
 * Turns the pieces of a generator into others, keeps its result, and ends it when the loop is left early.
 */
export async function* flatMap<Piece, Mapped, Result>(
  pieces: AsyncGenerator<Piece, Result>,
  map: (piece: Piece) => Iterable<Mapped>,
): AsyncGenerator<Mapped, Result> {
  try {
    while (true) {
      const next = await pieces.next()
      if (next.done) return next.value
      yield* map(next.value)
    }
  } finally {
    await pieces.return(undefined as never)
  }
}

/**
 * What a long call gives: pieces as they come, by `for await`, and the whole at the end, by `result()`.
 * Leaving the loop early ends the work; so does the call's `AbortSignal`.
 */
export class Stream<Piece, Result> implements AsyncIterable<Piece> {
  readonly #pieces: AsyncGenerator<Piece, Result>
  #result: { value: Result } | undefined

  /** @internal */
  constructor(pieces: AsyncGenerator<Piece, Result>) {
    this.#pieces = this.#keepResult(pieces)
  }

  [Symbol.asyncIterator](): AsyncIterator<Piece> {
    return this.#pieces
  }

  /**
   * The whole result. Pieces not yet taken are waited for and dropped.
   * @throws what the call throws; `option.stream-left` when the loop over the pieces was left early
   */
  async result(): Promise<Result> {
    for await (const _ of this) {
      // Only the end matters here.
    }
    if (!this.#result) {
      throw new OptionError('option.stream-left', 'The stream was left before its end, so it has no result.')
    }
    return this.#result.value
  }

  async *#keepResult(pieces: AsyncGenerator<Piece, Result>): AsyncGenerator<Piece, Result> {
    const value = yield* pieces
    this.#result = { value }
    return value
  }
}
