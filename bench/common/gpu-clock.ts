import type { Gpu } from './internals.js'

const { QUERY_RESOLVE, COPY_SRC, COPY_DST, MAP_READ } = {
  QUERY_RESOLVE: 0x200,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  MAP_READ: 0x1,
} satisfies Record<string, GPUBufferUsageFlags>

const MAP_MODE_READ = 0x1
const NANOSECOND = 1e-9

/** Start and end of a pass, in seconds since an origin that all spans of a device share. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The clock of the GPU itself, read at the boundaries of compute passes. */
export class GpuClock {
  readonly #gpu: Gpu
  readonly #queries: GPUQuerySet
  readonly #resolved: GPUBuffer
  readonly #staging: GPUBuffer
  /** Subtracted before ticks become floats: nanoseconds since 1970 exceed their precision. */
  #origin: bigint | undefined
  /** Passes that can be timed before the clock is read. */
  readonly capacity: number

  /** @param capacity at most 2048 */
  constructor(gpu: Gpu, capacity: number) {
    this.#gpu = gpu
    this.capacity = capacity
    const { device } = gpu
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * capacity })
    const size = 16 * capacity
    this.#resolved = device.createBuffer({ label: 'timestamps', size, usage: QUERY_RESOLVE | COPY_SRC })
    this.#staging = device.createBuffer({ label: 'timestamps read', size, usage: COPY_DST | MAP_READ })
  }

  /** Whether a device has such a clock. */
  static available(gpu: Gpu): boolean {
    return gpu.device.features.has('timestamp-query')
  }

  /** Begins a pass that is timed as number `index`. */
  beginPass(encoder: GPUCommandEncoder, index: number): GPUComputePassEncoder {
    return encoder.beginComputePass({
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: 2 * index,
        endOfPassWriteIndex: 2 * index + 1,
      },
    })
  }

  /** Ends and submits the encoder, waits, and reads the first `count` passes. */
  async submit(encoder: GPUCommandEncoder, count: number): Promise<Span[]> {
    encoder.resolveQuerySet(this.#queries, 0, 2 * count, this.#resolved, 0)
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16 * count)
    this.#gpu.device.queue.submit([encoder.finish()])
    await this.#gpu.race(this.#staging.mapAsync(MAP_MODE_READ, 0, 16 * count))
    const ticks = new BigUint64Array(this.#staging.getMappedRange(0, 16 * count).slice(0))
    this.#staging.unmap()
    this.#origin ??= ticks[0]
    const origin = this.#origin
    const seconds = (index: number) => Number(ticks[index] - origin) * NANOSECOND
    return Array.from({ length: count }, (_, i) => ({ start: seconds(2 * i), end: seconds(2 * i + 1) }))
  }

  dispose(): void {
    this.#queries.destroy()
    this.#resolved.destroy()
    this.#staging.destroy()
  }
}
