import type { Gpu, MemoryKind } from '../../gpu/index.js'

/** Buffers that are given back together: at the end of a training, or when one of them could not be had. */
export class Allocation {
  readonly #gpu: Gpu
  readonly #buffers: GPUBuffer[] = []

  constructor(gpu: Gpu) {
    this.#gpu = gpu
  }

  /** @throws `adapter.limit` */
  allocate(kind: MemoryKind, label: string, bytes: number): GPUBuffer {
    const buffer = this.#gpu.allocate(kind, label, bytes)
    this.#buffers.push(buffer)
    return buffer
  }

  free(): void {
    for (const buffer of this.#buffers.splice(0)) this.#gpu.free(buffer)
  }
}
