import type { HeadShape } from '../../common/heads.js'

/** Where a row goes: (slot, position, prefix length). */
export interface CacheRow {
  readonly slot: number
  readonly position: number
  readonly prefixLength: number
}

/**
 * The copy in float64: cache[cacheRow(slot, prefixLength + position)] becomes the row's keys (or values). Changes `cache`.
 * @param part [rows, kvGroups * headDim]
 * @param cache [pages * PAGE_ROWS, kvGroups * headDim]
 * @param cacheRow where a row of a slot lies
 */
export function cacheAppendReference(
  part: ArrayLike<number>,
  cache: Float64Array,
  rows: readonly CacheRow[],
  { kvGroups, headDim }: HeadShape,
  cacheRow: (slot: number, c: number) => number,
): void {
  const width = kvGroups * headDim
  rows.forEach(({ slot, position, prefixLength }, row) => {
    const to = cacheRow(slot, prefixLength + position) * width
    for (let i = 0; i < width; i++) cache[to + i] = part[row * width + i]
  })
}
