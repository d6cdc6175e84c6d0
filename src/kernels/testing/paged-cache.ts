import { packHalves, unpackHalves } from '../common/half.js'
import { PAGE_ROWS, tableStride, tableWords } from '../common/paged-cache.js'
import type { TestGpu } from './gpu.js'
import { randomNormal, randomSource } from './numbers.js'

/** A random cache for tests, whose slots have their pages in a random order. */
export interface TestCache {
  readonly slotPages: number
  readonly table: GPUBuffer
  readonly keys: GPUBuffer
  readonly values: GPUBuffer
  /** Words as the buffers held them at first: f16 [pages * PAGE_ROWS, width] in pairs. */
  readonly words: { readonly keys: Uint32Array; readonly values: Uint32Array }
  /** The cache row of a slot's row. */
  row(slot: number, c: number): number
  /** Rows 0 .. rows - 1 of a slot as floats, [rows, width]. */
  rowsOf(part: 'keys' | 'values', slot: number, rows: number): Float32Array
}

export interface TestCacheOptions {
  readonly slots: number
  /** Rows of a slot, rounded up to whole pages. */
  readonly rows: number
  /** Elements of a row, kvGroups * headDim. */
  readonly width: number
  readonly strength?: number
  /** Rows of each slot from this one on are NaN: nobody may read them. */
  readonly end?: number
}

/** Makes a random cache. */
export function randomCache(
  test: TestGpu,
  { slots, rows, width, strength = 1, end }: TestCacheOptions,
): TestCache {
  const slotPages = Math.ceil(rows / PAGE_ROWS)
  // One page more than is used, so that page numbers and places differ.
  const pages = slots * slotPages + 1
  const random = randomSource(9)
  const order = Array.from({ length: pages }, (_, page) => page)
  for (let i = pages - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  const table = new Uint32Array(slots * tableStride(slotPages))
  for (let slot = 0; slot < slots; slot++) {
    const own = order.slice(slot * slotPages, (slot + 1) * slotPages)
    table.set(tableWords(strength, own), slot * tableStride(slotPages))
  }
  const row = (slot: number, c: number) => {
    const page = table[slot * tableStride(slotPages) + 1 + Math.floor(c / PAGE_ROWS)]
    return page * PAGE_ROWS + (c % PAGE_ROWS)
  }
  const make = (seed: number) => {
    const words = packHalves(randomNormal(pages * PAGE_ROWS * width, seed))
    for (let slot = 0; slot < slots; slot++) {
      for (let c = end ?? slotPages * PAGE_ROWS; c < slotPages * PAGE_ROWS; c++) {
        words.fill(0x7fff_7fff, (row(slot, c) * width) / 2, ((row(slot, c) + 1) * width) / 2)
      }
    }
    return words
  }
  const words = { keys: make(2), values: make(3) }
  return {
    slotPages,
    table: test.input(table, 'cache table'),
    keys: test.input(words.keys, 'keys'),
    values: test.input(words.values, 'values'),
    words,
    row,
    rowsOf: (part, slot, count) => {
      const all = unpackHalves(words[part], pages * PAGE_ROWS * width)
      const result = new Float32Array(count * width)
      for (let c = 0; c < count; c++) {
        const at = row(slot, c) * width
        result.set(all.subarray(at, at + width), c * width)
      }
      return result
    },
  }
}
