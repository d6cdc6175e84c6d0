import type { Progress } from '../../checkpoint/index.js'

/** Puts what happens at once while a model loads into one line of progress: bytes, then kernels, then measuring. */
export class LoadReport {
  #onProgress: ((progress: Progress) => void) | undefined
  #stage: 'weights' | 'kernels' | 'tuning' = 'weights'
  #bytes = { doneBytes: 0, totalBytes: 0 }
  #kernels = { done: 0, total: 0 }

  constructor(onProgress: ((progress: Progress) => void) | undefined) {
    this.#onProgress = onProgress
  }

  bytes(doneBytes: number, totalBytes: number): void {
    this.#bytes = { doneBytes, totalBytes }
    this.#report()
  }

  /** Tells that the last byte is on the GPU: what still compiles is now what is waited for. */
  allBytes(): void {
    if (this.#kernels.done < this.#kernels.total) this.stage('kernels')
  }

  kernels(done: number, total: number): void {
    this.#kernels = { done, total }
    if (this.#stage === 'kernels') this.#report()
  }

  stage(stage: 'kernels' | 'tuning'): void {
    this.#stage = stage
    this.#report()
  }

  warn(warning: string): void {
    this.#report(warning)
  }

  /** Ends the reports: kernels that a later call compiles are none of loading's business. */
  end(): void {
    this.#onProgress = undefined
  }

  #report(warning?: string): void {
    const kernels = this.#stage === 'kernels' && { kernels: this.#kernels }
    this.#onProgress?.({ stage: this.#stage, ...this.#bytes, ...kernels, ...(warning && { warning }) })
  }
}
