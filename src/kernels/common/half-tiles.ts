import halfOctetSource from './half-octet.wgsl?raw'
import source from './half-tiles.wgsl?raw'

/** Rows, and elements of a row, of a tile of half-tiles.wgsl. */
export const HALF_TILE = 16
/** Elements that a row of tiles is padded to a multiple of. */
export const HALF_TILE_STEP = 256

/** Bytes of activations in f16, in the tiles of half-tiles.wgsl. */
export function halfTileBytes(rows: number, width: number): number {
  const padded = Math.ceil(width / HALF_TILE_STEP) * HALF_TILE_STEP
  return Math.ceil(rows / HALF_TILE) * HALF_TILE * padded * 2
}

/** The modules that write activations in f16. */
export const HALF_TILE_SOURCES = [halfOctetSource, source]
