import { kernelArgument } from '../errors.js'
import type { HeadShape } from './heads.js'
import pagedCacheSource from './paged-cache.wgsl?raw'

export { pagedCacheSource }

/** Cache rows of a page: a multiple of every tile that attention takes at a time. */
export const PAGE_ROWS = 64

/** What attention to the cache is compiled for. */
export interface PagedCacheConstants extends HeadShape {
  /** Pages that a sequence can have, prefix included. */
  readonly slotPages: number
}

/** The cache of one layer, and where the sequences lie in it. */
export interface PagedCacheBuffers {
  /** u32 [slots, 1 + slotPages], see `tableWords`. */
  readonly table: GPUBuffer
  /** f16 [pages * PAGE_ROWS, kvGroups * headDim]. */
  readonly keys: GPUBuffer
  /** f16 [pages * PAGE_ROWS, kvGroups * headDim]. */
  readonly values: GPUBuffer
}

/** The part of the prelude that kernels on the cache share. @throws `option.kernel-argument` for tiles that cross pages */
export function pagedCacheSpecialization(
  kernel: string,
  { heads, kvGroups, slotPages }: PagedCacheConstants,
  tileRows = 1,
): Record<'HEADS' | 'KV_GROUPS' | 'SLOT_PAGES' | 'PAGE_ROWS', number> {
  if (heads % kvGroups !== 0) throw kernelArgument(kernel, `${heads} heads in ${kvGroups} groups`)
  if (PAGE_ROWS % tileRows !== 0) {
    throw kernelArgument(kernel, `tiles of ${tileRows} rows in pages of ${PAGE_ROWS}`)
  }
  return { HEADS: heads, KV_GROUPS: kvGroups, SLOT_PAGES: slotPages, PAGE_ROWS }
}

/** 32-bit words of a slot in the table. */
export function tableStride(slotPages: number): number {
  return 1 + slotPages
}

/**
 * A slot's entry in the table.
 * @param strength 0 < strength <= 1: the weight of the prefix in every softmax
 * @param pages of the rows from 0 on; those that have no page yet may be left out
 */
export function tableWords(strength: number, pages: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(1 + pages.length)
  new Float32Array(words.buffer)[0] = Math.log(strength)
  words.set(pages, 1)
  return words
}
