import type { ByteSink, SinkFile } from '../checkpoint/index.js'

/** A folder inside a destination. What lies in it cannot be listed, only asked for by name. */
export class SubFolder implements ByteSink {
  readonly name: string
  readonly #parent: ByteSink
  readonly #folder: string

  /** @param file the one file of it that is meant, where it is one */
  constructor(
    parent: ByteSink,
    folder: string,
    readonly file?: string,
  ) {
    this.name = `${parent.name}/${folder}`
    this.#parent = parent
    this.#folder = folder
  }

  async list(): Promise<string[]> {
    return []
  }

  has(path: string): Promise<boolean> {
    return this.#parent.has(this.#path(path))
  }

  size(path: string): Promise<number> {
    return this.#parent.size(this.#path(path))
  }

  read(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#parent.read(this.#path(path), start, end, signal)
  }

  create(path: string): Promise<SinkFile> {
    return this.#parent.create(this.#path(path))
  }

  remove(path: string): Promise<void> {
    return this.#parent.remove(this.#path(path))
  }

  #path(path: string): string {
    return `${this.#folder}/${path}`
  }
}
