import type { Gpu } from '../../../gpu/index.js'
import { PAGE_ROWS, type PagedCacheBuffers, tableStride, tableWords } from '../../../kernels/index.js'
import type { ModelConfig, Prefix } from '../../model/index.js'
import type { PageMemory } from '../cache/page-cache.js'

/** Bytes of an f16. */
const HALF = 2

/** Bytes of a page, keys and values of all layers. */
export function pageBytes({ layers, kvGroups, headDim }: ModelConfig): number {
  return 2 * layers * PAGE_ROWS * kvGroups * headDim * HALF
}

/** How large a cache is. */
export interface CacheSizes {
  readonly pages: number
  /** Sequences that have a place at once. */
  readonly slots: number
  /** Pages that one of them can have. */
  readonly slotPages: number
}

/** Bytes of the cache: of the keys, or values, of a layer, and of all that `CacheMemory` allocates. */
export function cacheBytes(config: ModelConfig, { pages, slots, slotPages }: CacheSizes) {
  const page = PAGE_ROWS * config.kvGroups * config.headDim * HALF
  const table = slots * tableStride(slotPages) * 4
  return { buffer: pages * page, total: 2 * config.layers * pages * page + page + Math.ceil(table / 16) * 16 }
}

/**
 * Keys and values of every layer, f16 [pages * PAGE_ROWS, kvGroups * headDim], allocated once, and the table that tells
 * for each slot which pages it has. A row of a prefix is not rotated; the token of position p is in row P + p of its slot.
 */
export class CacheMemory implements PageMemory<Prefix> {
  readonly keys: readonly GPUBuffer[]
  readonly values: readonly GPUBuffer[]
  /** u32 [slots, 1 + slotPages], see `tableWords`. */
  readonly table: GPUBuffer
  /** Pages in all. */
  readonly pages: number
  /** Pages that a slot can have. */
  readonly slotPages: number

  readonly #gpu: Gpu
  readonly #rowBytes: number
  /** A page of one layer on its way. */
  readonly #between: GPUBuffer

  constructor(gpu: Gpu, config: ModelConfig, { pages, slots, slotPages }: CacheSizes) {
    this.#gpu = gpu
    this.pages = pages
    this.slotPages = slotPages
    this.#rowBytes = config.kvGroups * config.headDim * HALF
    const bytes = pages * PAGE_ROWS * this.#rowBytes
    const allocate = (name: string) =>
      Array.from({ length: config.layers }, (_, layer) =>
        gpu.allocate('cache', `${name} of layer ${layer}`, bytes),
      )
    this.keys = allocate('keys')
    this.values = allocate('values')
    this.#between = gpu.allocate('cache', 'page on its way', PAGE_ROWS * this.#rowBytes)
    this.table = gpu.allocate('cache', 'cache table', slots * tableStride(slotPages) * 4)
  }

  /** What attention of a layer is bound to. */
  layer(index: number): PagedCacheBuffers {
    return { table: this.table, keys: this.keys[index], values: this.values[index] }
  }

  /** Writes a slot's strength and all its pages. */
  writeTable(slot: number, strength: number, pages: readonly number[]): void {
    const at = slot * tableStride(this.slotPages) * 4
    this.#gpu.device.queue.writeBuffer(this.table, at, tableWords(strength, pages))
  }

  /** Writes the pages of a slot from a number on. */
  writePages(slot: number, first: number, pages: readonly number[]): void {
    const at = (slot * tableStride(this.slotPages) + 1 + first) * 4
    this.#gpu.device.queue.writeBuffer(this.table, at, new Uint32Array(pages))
  }

  copyRows(from: number, to: number, rows: number): void {
    const pageBytes = PAGE_ROWS * this.#rowBytes
    const bytes = rows * this.#rowBytes
    this.#encode('page', (encoder) => {
      // A buffer cannot be copied to itself.
      for (const buffer of [...this.keys, ...this.values]) {
        encoder.copyBufferToBuffer(buffer, from * pageBytes, this.#between, 0, bytes)
        encoder.copyBufferToBuffer(this.#between, 0, buffer, to * pageBytes, bytes)
      }
    })
  }

  copyPrefix(prefix: Prefix, firstRow: number, rows: number, page: number): void {
    const slab = prefix.length * this.#rowBytes
    const bytes = rows * this.#rowBytes
    const to = page * PAGE_ROWS * this.#rowBytes
    this.#encode('prefix', (encoder) => {
      this.keys.forEach((keys, layer) => {
        const from = 2 * layer * slab + firstRow * this.#rowBytes
        encoder.copyBufferToBuffer(prefix.rows, from, keys, to, bytes)
        encoder.copyBufferToBuffer(prefix.rows, from + slab, this.values[layer], to, bytes)
      })
    })
  }

  /** Copies whole pages to the host: [layers, keys and values, pages, PAGE_ROWS rows]. */
  async readPages(pages: readonly number[]): Promise<ArrayBuffer> {
    const MAP_READ_COPY_DST = 0x1 | 0x8
    const pageBytes = PAGE_ROWS * this.#rowBytes
    const buffers = this.keys.flatMap((keys, layer) => [keys, this.values[layer]])
    const size = Math.max(4, buffers.length * pages.length * pageBytes)
    const staging = this.#gpu.device.createBuffer({ label: 'suspended', size, usage: MAP_READ_COPY_DST })
    try {
      const encoder = this.#gpu.device.createCommandEncoder({ label: 'suspend' })
      buffers.forEach((buffer, part) => {
        pages.forEach((page, index) => {
          const to = (part * pages.length + index) * pageBytes
          encoder.copyBufferToBuffer(buffer, page * pageBytes, staging, to, pageBytes)
        })
      })
      this.#gpu.device.queue.submit([encoder.finish()])
      await this.#gpu.wait(staging.mapAsync(0x1))
      return staging.getMappedRange().slice(0)
    } finally {
      staging.destroy()
    }
  }

  /** Writes what `readPages` gave into other pages. */
  writePagesBack(pages: readonly number[], bytes: ArrayBuffer): void {
    const pageBytes = PAGE_ROWS * this.#rowBytes
    const buffers = this.keys.flatMap((keys, layer) => [keys, this.values[layer]])
    buffers.forEach((buffer, part) => {
      pages.forEach((page, index) => {
        const from = (part * pages.length + index) * pageBytes
        this.#gpu.device.queue.writeBuffer(buffer, page * pageBytes, bytes, from, pageBytes)
      })
    })
  }

  /** Submits copies: they take place before whatever is submitted later. */
  #encode(label: string, encode: (encoder: GPUCommandEncoder) => void): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label })
    encode(encoder)
    this.#gpu.device.queue.submit([encoder.finish()])
  }
}
