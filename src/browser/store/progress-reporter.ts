import type { StoreProgress, StoreWorkOptions } from './types.js'

/** A page needs no more reports than this to draw a bar that moves; every report is a message between threads. */
const INTERVAL_MS = 100

/** Counts bytes and reports them now and then, and at the end. */
export class ProgressReporter {
  readonly #totalBytes: number
  readonly #onProgress: StoreWorkOptions['onProgress']
  #file = ''
  #doneBytes = 0
  #transferredBytes = 0
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(totalBytes: number, onProgress: StoreWorkOptions['onProgress']) {
    this.#totalBytes = totalBytes
    this.#onProgress = onProgress
  }

  /** Bytes still to come. */
  get leftBytes(): number {
    return this.#totalBytes - this.#doneBytes
  }

  begin(file: string): void {
    this.#file = file
  }

  /** Counts bytes that were there already, or no longer are. */
  add(bytes: number): void {
    this.#doneBytes += bytes
    this.#report()
  }

  /** Counts bytes that came from the source. */
  receive(bytes: number): void {
    this.#transferredBytes += bytes
    this.add(bytes)
  }

  end(): void {
    this.#reportedAt = Number.NEGATIVE_INFINITY
    this.#report()
  }

  #report(): void {
    const now = performance.now()
    if (now - this.#reportedAt < INTERVAL_MS) return
    this.#reportedAt = now
    const progress: StoreProgress = {
      file: this.#file,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      transferredBytes: this.#transferredBytes,
    }
    this.#onProgress?.(progress)
  }
}
