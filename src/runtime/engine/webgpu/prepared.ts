/** Something that takes a while to build, and is built once, when it is first asked for. */
export class Prepared<T> {
  readonly #build: () => Promise<T>
  #building: Promise<T> | undefined
  #value: T | undefined

  constructor(build: () => Promise<T>) {
    this.#build = build
  }

  /** What was built; undefined until then. */
  get value(): T | undefined {
    return this.#value
  }

  /** What was built. @throws TypeError where it is not there yet: who needs it did not wait for it */
  get ready(): T {
    if (this.#value === undefined) throw new TypeError('It was used before it was built.')
    return this.#value
  }

  /** Builds it unless that was begun before. @throws what building throws, every time */
  get(): Promise<T> {
    this.#building ??= this.#build().then((value) => {
      this.#value = value
      return value
    })
    return this.#building
  }
}
