import { packHalves, unpackHalves } from '../common/half.js'
import { HALF_TILE, HALF_TILE_STEP, halfTileBytes } from '../common/half-tiles.js'

/** Where the elements of an octet lie in its four words: pairs of (0, 4), (1, 5), (2, 6), (3, 7). */
const OCTET_ORDER = [0, 4, 1, 5, 2, 6, 3, 7]

/** The index of an element in the tiles of half-tiles.wgsl. */
function tileIndex(row: number, column: number, width: number): number {
  const octet = Math.floor(column / 8)
  const at = Math.floor(octet / 32) * 32 + (octet % 4) * 8 + Math.floor((octet % 32) / 4)
  const tiles = (Math.ceil(width / HALF_TILE_STEP) * HALF_TILE_STEP) / HALF_TILE
  const tile = Math.floor(row / HALF_TILE) * tiles + Math.floor(at / 2)
  return tile * 256 + (row % HALF_TILE) * 16 + (at % 2) * 8 + OCTET_ORDER.indexOf(column % 8)
}

/** The words of values [rows, width] in the tiles of half-tiles.wgsl; rows that fill up the last tile are NaN. */
export function halfTileWords(values: ArrayLike<number>, width: number): Uint32Array<ArrayBuffer> {
  const rows = values.length / width
  const tiled = new Float64Array(halfTileBytes(rows, width) / 2)
  for (let row = 0; row < Math.ceil(rows / HALF_TILE) * HALF_TILE; row++) {
    for (let column = 0; column < width; column++) {
      tiled[tileIndex(row, column, width)] = row < rows ? values[row * width + column] : Number.NaN
    }
  }
  return packHalves(tiled)
}

/** The values of the first rows in tiles, [rows, width]. */
export function halfTileValues(words: Uint32Array, rows: number, width: number): Float32Array {
  const tiled = unpackHalves(words, words.length * 2)
  return Float32Array.from(
    { length: rows * width },
    (_, i) => tiled[tileIndex(Math.floor(i / width), i % width, width)],
  )
}
