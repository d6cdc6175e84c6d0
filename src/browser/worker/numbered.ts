/** Things that stay in the worker, and that the page names by numbers. */
export class Numbered<T> {
  readonly #things = new Map<number, T>()
  #last = 0

  /** @returns the number of a new thing */
  add(thing: T): number {
    this.#things.set(++this.#last, thing)
    return this.#last
  }

  get(number: number): T | undefined {
    return this.#things.get(number)
  }

  /** Takes a thing out. */
  take(number: number): T | undefined {
    const thing = this.#things.get(number)
    this.#things.delete(number)
    return thing
  }

  clear(): void {
    this.#things.clear()
  }
}
