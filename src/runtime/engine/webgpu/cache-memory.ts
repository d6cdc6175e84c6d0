import type { Gpu } from '../../gpu/index.js'
import type { ModelConfig, Prefix, PrefixHandle } from '../model/index.js'

/** What a slot of the cache holds now. */
interface Slot {
  prefix: Prefix | undefined
  /** The strength with which the tokens were computed: it changes their keys and values in all layers but one. */
  strength: number
  /** The tokens whose keys and values are in the cache, from position 0 on. */
  ids: number[]
}

/** Bytes of an f16. */
const HALF = 2

/**
 * Keys and values of every layer, f16 [slots, capacity, kvGroups * headDim], allocated once. Rows 0..P-1 of a slot
 * hold the prefix, unrotated; the token of position p is in row P + p.
 */
export class KeyValueCache {
  readonly keys: readonly GPUBuffer[]
  readonly values: readonly GPUBuffer[]
  /** Rows of a slot, prefix included. */
  readonly capacity: number
  readonly slots: number

  readonly #gpu: Gpu
  readonly #rowBytes: number
  readonly #slots: Slot[]

  constructor(gpu: Gpu, config: ModelConfig, slots: number, capacity: number) {
    this.#gpu = gpu
    this.slots = slots
    this.capacity = capacity
    this.#rowBytes = config.kvGroups * config.headDim * HALF
    this.#slots = Array.from({ length: slots }, () => ({ prefix: undefined, strength: 1, ids: [] }))
    const bytes = slots * capacity * this.#rowBytes
    const allocate = (name: string) =>
      Array.from({ length: config.layers }, (_, layer) =>
        gpu.allocate('cache', `${name} of layer ${layer}`, bytes),
      )
    this.keys = allocate('keys')
    this.values = allocate('values')
  }

  /**
   * Makes a slot ready for a prompt: puts the prefix into rows 0..P-1 unless it is there, and finds how much of the
   * prompt the cache holds already. At least the last token is always left to compute, because its output is needed.
   * @returns the position from which on the prompt has to be computed
   */
  prepare(slot: number, prefix: Prefix | undefined, strength: number, ids: readonly number[]): number {
    const state = this.#slots[slot]
    if (state.strength !== strength) state.ids = []
    state.strength = strength
    if (state.prefix !== prefix) {
      state.ids = []
      state.prefix = prefix
      if (prefix) this.#copyPrefix(slot, prefix)
    }
    let reused = 0
    while (reused < ids.length - 1 && state.ids[reused] === ids[reused]) reused++
    state.ids.length = reused
    return reused
  }

  /** Records that the tokens following those held already were computed into the slot. */
  append(slot: number, ids: readonly number[]): void {
    for (const id of ids) this.#slots[slot].ids.push(id)
  }

  /** Forgets what the slots hold, for example because a computation was cut off in the middle. */
  forget(): void {
    for (const slot of this.#slots) {
      slot.ids = []
      slot.prefix = undefined
    }
  }

  /** Forgets a prefix that is about to be freed. */
  release(prefix: PrefixHandle): void {
    for (const slot of this.#slots) {
      if (slot.prefix === prefix) {
        slot.prefix = undefined
        slot.ids = []
      }
    }
  }

  #copyPrefix(slot: number, prefix: Prefix): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'prefix' })
    const bytes = prefix.length * this.#rowBytes
    const at = slot * this.capacity * this.#rowBytes
    this.keys.forEach((keys, layer) => {
      encoder.copyBufferToBuffer(prefix.rows, 2 * layer * bytes, keys, at, bytes)
      encoder.copyBufferToBuffer(prefix.rows, (2 * layer + 1) * bytes, this.values[layer], at, bytes)
    })
    this.#gpu.device.queue.submit([encoder.finish()])
  }
}
