/**
 * Finds stop strings in a text that arrives in pieces. A tail that may be the beginning of a stop string is held back
 * until it is known not to be one, so that no part of a stop string is ever given out.
 */
export class TextStops {
  readonly #stops: readonly string[]
  #held = ''
  #stopped = false

  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '')
  }

  /** Whether a stop string was found; everything from it on is dropped. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Takes the next piece and returns the text that is certainly before any stop string. */
  push(piece: string): string {
    if (this.#stopped) return ''
    const text = this.#held + piece
    const found = this.#stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
    if (found.length > 0) {
      this.#stopped = true
      this.#held = ''
      return text.slice(0, Math.min(...found))
    }
    const certain = text.length - this.#possibleStart(text)
    this.#held = text.slice(certain)
    return text.slice(0, certain)
  }

  /** Ends the text: what was held back was no stop string. */
  flush(): string {
    const held = this.#held
    this.#held = ''
    return held
  }

  /** Length of the longest tail of the text that a stop string begins with. */
  #possibleStart(text: string): number {
    let longest = 0
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length
      }
    }
    return longest
  }
}
