/**
 * Runs a generator a few pieces ahead of who takes them, so that the work goes on while a message is on its way, but
 * not without end: a consumer that stops taking stops the work.
 */
export class ReadAhead<Piece, Result> {
  readonly #pieces: AsyncIterator<Piece, Result>
  readonly #limit: number
  #ready: Piece[] = []
  #end: { readonly value: Result } | { readonly error: unknown } | undefined
  #left = false
  #wake: () => void = () => {}
  readonly #running: Promise<void>

  /** @param limit how many pieces may wait */
  constructor(pieces: AsyncIterator<Piece, Result>, limit: number) {
    this.#pieces = pieces
    this.#limit = limit
    this.#running = this.#run()
  }

  /** The pieces that are ready, at least one, and the result at the end. Throws what the generator threw. */
  async take(): Promise<{ pieces: Piece[]; result?: { value: Result } }> {
    while (this.#ready.length === 0 && !this.#end) await this.#change()
    const pieces = this.#ready
    this.#ready = []
    this.#wake()
    if (!this.#end || (pieces.length > 0 && 'error' in this.#end)) return { pieces }
    if ('error' in this.#end) throw this.#end.error
    return { pieces, result: this.#end }
  }

  /** Ends the generator early, and waits until it has ended. */
  async leave(): Promise<void> {
    this.#left = true
    this.#wake()
    await this.#running
    await this.#pieces.return?.()
  }

  async #run(): Promise<void> {
    try {
      while (!this.#left) {
        const next = await this.#pieces.next()
        if (next.done) this.#end = next
        else this.#ready.push(next.value)
        this.#wake()
        if (next.done) return
        while (this.#ready.length >= this.#limit && !this.#left) await this.#change()
      }
    } catch (error) {
      this.#end = { error }
      this.#wake()
    }
  }

  /** Waits until something was put in, was taken, or is to end. Producer and consumer never wait at once. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
