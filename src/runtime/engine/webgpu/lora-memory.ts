import type { Gpu } from '../../../gpu/index.js'
import { LORA_OCTET, LORA_PRODUCT_WORDS, LORA_SLOT_WORDS } from '../../../kernels/index.js'
import {
  type AdapterHandle,
  factorOctets,
  LAYER_PRODUCTS,
  type ModelConfig,
  packFactors,
  type StoredLora,
} from '../../model/index.js'
import type { LoraBuffersOfPlans } from './lora.js'

/** A LoRA adapter as its model sees it. It takes no rows of the cache. */
export interface Lora extends AdapterHandle {
  readonly kind: 'lora'
}

/** Where the factors of a product lie, from the adapter's first octet on. */
interface Line {
  readonly index: number
  readonly firstOfA: number
  readonly firstOfB: number
  readonly ofRank: number
  readonly scale: number
}

interface Loaded {
  readonly lora: Lora
  readonly lines: readonly Line[]
  readonly octets: number
  /** Its first octet in the buffer of all. */
  first: number
}

const OCTET_BYTES = 2 * LORA_OCTET
/** Ranges of buffers begin at multiples of this many bytes. */
const BINDING_ALIGNMENT = 256

/**
 * The factors of all LoRA adapters, in one buffer, and the table that tells for each slot whose are used. The buffer is
 * made anew whenever an adapter comes or goes, and plans are bound to it anew; those of steps that were prepared before go on
 * with the old one.
 */
export class LoraMemory {
  /** u32 [slots, LORA_SLOT_WORDS] */
  readonly #slots: GPUBuffer
  readonly #gpu: Gpu
  readonly #config: ModelConfig
  /** By their numbers, which slots know them by. */
  readonly #loaded: (Loaded | undefined)[] = []
  /** Counts what came and went. */
  #changes = 0
  #current: LoraBuffersOfPlans | undefined
  /** What plans were bound to last. */
  #taken: LoraBuffersOfPlans | undefined

  constructor(gpu: Gpu, config: ModelConfig, slots: number) {
    this.#gpu = gpu
    this.#config = config
    this.#slots = gpu.allocate('activations', 'adapters of slots', slots * LORA_SLOT_WORDS * 4)
  }

  /** Whether an adapter is loaded here. */
  owns(adapter: AdapterHandle): boolean {
    return this.#loaded.some((loaded) => loaded?.lora === adapter)
  }

  /** What plans are to be bound to now; undefined where no adapter is loaded. Buffers before it are given back. */
  take(): LoraBuffersOfPlans | undefined {
    if (this.#taken !== this.#current) this.#free(this.#taken)
    this.#taken = this.#current
    return this.#current
  }

  /** Says which adapter the rows of a slot have. @param adapter a prefix is none */
  assign(slot: number, adapter: AdapterHandle | undefined, strength: number): void {
    const number = this.#loaded.findIndex((loaded) => loaded !== undefined && loaded.lora === adapter)
    const words = new Uint32Array(LORA_SLOT_WORDS)
    words[0] = number + 1
    new Float32Array(words.buffer)[1] = strength
    this.#gpu.device.queue.writeBuffer(this.#slots, slot * LORA_SLOT_WORDS * 4, words)
  }

  /**
   * Reads the factors of an adapter into GPU memory.
   * @throws `checkpoint.adapter-invalid`, `adapter.limit`, `device.out-of-memory`
   */
  async add(stored: StoredLora, signal?: AbortSignal): Promise<Lora> {
    const gpu = this.#gpu
    const octets = stored.factors.reduce((sum, factors) => sum + factorOctets(factors).total, 0)
    const incoming = await gpu.allocating('adapter', () =>
      gpu.allocate('prefixes', `adapter ${stored.name}`, octets * OCTET_BYTES),
    )
    try {
      const lines: Line[] = []
      let first = 0
      for (const factors of stored.factors) {
        const { ofRank, firstOfB, total } = factorOctets(factors)
        const { halves, scale } = packFactors(factors, await stored.read(factors, signal))
        signal?.throwIfAborted()
        gpu.write(incoming, first * OCTET_BYTES, halves)
        const product = LAYER_PRODUCTS.findIndex(({ weight }) => weight === factors.role)
        const index = factors.layer * LAYER_PRODUCTS.length + product
        lines.push({ index, firstOfA: first, firstOfB: first + firstOfB, ofRank, scale })
        first += total
      }
      const lora: Lora = { kind: 'lora', name: stored.name, length: 0 }
      await this.#remake({ lora, lines, octets, first: 0 }, incoming)
      return lora
    } finally {
      gpu.free(incoming)
    }
  }

  /** Gives the memory of an adapter back, which no slot has. */
  async remove(adapter: AdapterHandle): Promise<void> {
    const number = this.#loaded.findIndex((loaded) => loaded?.lora === adapter)
    if (number < 0) return
    this.#loaded[number] = undefined
    this.#changes++
    await this.#remake()
  }

  /** Makes the buffers of all adapters anew. @param added with one more, whose factors are in `incoming` */
  async #remake(added?: Loaded, incoming?: GPUBuffer): Promise<void> {
    const gpu = this.#gpu
    const changes = this.#changes
    const free = this.#loaded.indexOf(undefined)
    const number = free >= 0 ? free : this.#loaded.length
    const all = this.#loaded.slice()
    if (added) all[number] = added
    const present = all.filter((loaded) => loaded !== undefined)
    if (present.length === 0) {
      this.#replace(undefined)
      return
    }
    const octets = present.reduce((sum, loaded) => sum + loaded.octets, 0)
    const line = all.length * LORA_PRODUCT_WORDS * 4
    const lineBytes = Math.ceil(line / BINDING_ALIGNMENT) * BINDING_ALIGNMENT
    const lines = this.#config.layers * LAYER_PRODUCTS.length
    const [factors, products] = await gpu.allocating('adapters', () => [
      gpu.allocate('prefixes', 'factors of adapters', octets * OCTET_BYTES),
      gpu.allocate('prefixes', 'products of adapters', lines * lineBytes),
    ])
    if (this.#changes !== changes) {
      // Another adapter came or went while memory was asked for.
      gpu.free(factors)
      gpu.free(products)
      return this.#remake(added, incoming)
    }
    const encoder = gpu.device.createCommandEncoder({ label: 'adapters' })
    const words = new Uint32Array((lines * lineBytes) / 4)
    const scales = new Float32Array(words.buffer)
    let first = 0
    all.forEach((loaded, index) => {
      if (!loaded) return
      const from = loaded === added ? incoming : this.#current?.factors
      if (from) {
        const [begin, bytes] = [loaded.first * OCTET_BYTES, loaded.octets * OCTET_BYTES]
        encoder.copyBufferToBuffer(from, begin, factors, first * OCTET_BYTES, bytes)
      }
      for (const one of loaded.lines) {
        const at = (one.index * lineBytes) / 4 + index * LORA_PRODUCT_WORDS
        words.set([first + one.firstOfA, first + one.firstOfB, one.ofRank], at)
        scales[at + 3] = one.scale
      }
      loaded.first = first
      first += loaded.octets
    })
    gpu.device.queue.submit([encoder.finish()])
    gpu.write(products, 0, words)
    if (added) this.#loaded[number] = added
    this.#changes++
    const ranks = present.flatMap((loaded) => loaded.lines.map(({ ofRank }) => ofRank))
    const roles = present.flatMap((loaded) =>
      loaded.lines.map((one) => LAYER_PRODUCTS[one.index % LAYER_PRODUCTS.length].weight),
    )
    const maxRank = LORA_OCTET * Math.max(...ranks)
    this.#replace({ factors, products, lineBytes, slots: this.#slots, maxRank, roles: new Set(roles) })
  }

  #replace(next: LoraBuffersOfPlans | undefined): void {
    // What plans are bound to stays until they are bound to the next.
    if (this.#current !== this.#taken) this.#free(this.#current)
    this.#current = next
  }

  #free(buffers: LoraBuffersOfPlans | undefined): void {
    if (!buffers) return
    this.#gpu.free(buffers.factors)
    this.#gpu.free(buffers.products)
  }
}
