/** What one side puts in as it comes, and another takes out in its own time. */
export class Channel<T> implements AsyncIterable<T> {
  readonly #waiting: T[] = []
  #end: { readonly error?: unknown } | undefined
  #wake: (() => void) | undefined
  readonly #onTaken: () => void

  /** @param onTaken called whenever something was taken out */
  constructor(onTaken: () => void = () => {}) {
    this.#onTaken = onTaken
  }

  /** Pieces that nobody has taken yet. */
  get size(): number {
    return this.#waiting.length
  }

  push(piece: T): void {
    this.#waiting.push(piece)
    this.#wake?.()
  }

  /** Nothing more comes. */
  end(): void {
    this.#end ??= {}
    this.#wake?.()
  }

  /** What was put in is taken first; then whoever takes gets the error. */
  fail(error: unknown): void {
    this.#end ??= { error }
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    while (true) {
      const piece = this.#waiting.shift()
      if (piece !== undefined) {
        this.#onTaken()
        yield piece
      } else if (this.#end) {
        if ('error' in this.#end) throw this.#end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    }
  }
}
