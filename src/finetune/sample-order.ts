import { randomOrder } from './random.js'

/**
 * Which samples come when: every epoch takes each of them once, in an order of its own. The last micro-batch of an
 * epoch may be smaller.
 */
export class SampleOrder {
  /** Micro-batches of an epoch. */
  readonly batchesPerEpoch: number
  readonly #length: number
  readonly #batchSize: number
  readonly #seed: number
  #epoch = -1
  #order: Uint32Array = new Uint32Array()

  constructor(length: number, batchSize: number, seed: number) {
    this.batchesPerEpoch = Math.ceil(length / batchSize)
    this.#length = length
    this.#batchSize = batchSize
    this.#seed = seed
  }

  /** The samples of a micro-batch, counted from the beginning of the training. */
  batch(index: number): number[] {
    const epoch = Math.floor(index / this.batchesPerEpoch)
    if (epoch !== this.#epoch) this.#order = randomOrder(this.#length, this.#seed, epoch)
    this.#epoch = epoch
    const first = (index % this.batchesPerEpoch) * this.#batchSize
    return Array.from(this.#order.subarray(first, first + this.#batchSize))
  }
}
