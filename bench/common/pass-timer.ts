import { GpuClock } from './gpu-clock.js'
import type { Gpu } from './internals.js'
import { type Summary, summarize } from './statistics.js'

export interface TimingOptions {
  /** Work before the first timing, so that the clocks of the card are up. */
  readonly warmUpSeconds: number
  /** Length of one timed pass. */
  readonly passSeconds: number
  readonly repetitions: number
}

export const THOROUGH: TimingOptions = { warmUpSeconds: 0.06, passSeconds: 0.01, repetitions: 9 }
export const QUICK: TimingOptions = { warmUpSeconds: 0, passSeconds: 0, repetitions: 2 }

/** The most calls in one pass; more only make the command buffer long. */
const MAX_CALLS = 4096

/** Times work that is encoded into compute passes, by the GPU's clock or, where it has none, by the wall's. */
export class PassTimer {
  readonly #gpu: Gpu
  readonly #clock: GpuClock | undefined
  readonly #options: TimingOptions

  constructor(gpu: Gpu, options: TimingOptions) {
    this.#gpu = gpu
    this.#options = options
    this.#clock = GpuClock.available(gpu) ? new GpuClock(gpu, 1) : undefined
  }

  /** What the times come from. */
  get source(): 'timestamps' | 'wall clock' {
    return this.#clock ? 'timestamps' : 'wall clock'
  }

  /**
   * Seconds of one call. Calls depend on each other as far as they write the same buffers, as they do in a model.
   * @param encode encodes call number `index`
   */
  async time(encode: (pass: GPUComputePassEncoder, index: number) => void): Promise<Summary> {
    const { warmUpSeconds, passSeconds, repetitions } = this.#options
    let calls = 1
    let next = 0
    const run = () => {
      const first = next
      next += calls
      return this.#pass((pass) => {
        for (let i = 0; i < calls; i++) encode(pass, first + i)
      })
    }
    // Doubling finds the number of calls, and warms up.
    const began = performance.now()
    while (true) {
      const seconds = await run()
      const warm = performance.now() - began >= warmUpSeconds * 1000
      const long = seconds >= passSeconds || calls >= MAX_CALLS
      if (warm && long) break
      if (!long) calls = Math.min(MAX_CALLS, calls * 2)
    }
    const seconds: number[] = []
    for (let repetition = 0; repetition < repetitions; repetition++) seconds.push((await run()) / calls)
    return summarize(seconds)
  }

  async #pass(encode: (pass: GPUComputePassEncoder) => void): Promise<number> {
    this.#gpu.check()
    const encoder = this.#gpu.device.createCommandEncoder()
    const pass = this.#clock?.beginPass(encoder, 0) ?? encoder.beginComputePass()
    encode(pass)
    pass.end()
    if (this.#clock) {
      const [{ start, end }] = await this.#clock.submit(encoder, 1)
      return end - start
    }
    const began = performance.now()
    this.#gpu.device.queue.submit([encoder.finish()])
    await this.#gpu.finish()
    return (performance.now() - began) / 1000
  }

  dispose(): void {
    this.#clock?.dispose()
  }
}
