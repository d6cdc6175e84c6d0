/** Bytes read from a source at a time. */
export const CHUNK_BYTES = 16 * 2 ** 20
/** Blocks and slices begin at multiples of this many rows, so that pairs of f16 are never torn apart. */
export const BLOCK_ROWS = 64

/** Consecutive rows of a matrix. */
export interface RowBlock {
  readonly firstRow: number
  readonly rows: number
}

/** Splits rows into blocks of about a chunk; all but the last have a multiple of `BLOCK_ROWS` rows. */
export function rowBlocks({ firstRow, rows }: RowBlock, bytesPerRow: number): RowBlock[] {
  const block = blockRows(bytesPerRow)
  return Array.from({ length: Math.ceil(rows / block) }, (_, index) => ({
    firstRow: firstRow + index * block,
    rows: Math.min(block, rows - index * block),
  }))
}

/** The most rows in a block. */
export function blockRows(bytesPerRow: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / bytesPerRow / BLOCK_ROWS)) * BLOCK_ROWS
}
