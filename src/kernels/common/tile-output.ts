import { HALF_TILE_SOURCES } from './half-tiles.js'
import { type LinearOutput, type QkvBuffers, qkvBindings } from './linear-output.js'
import quantizedOctetSource from './quantized-octet.wgsl?raw'
import tileQkvSource from './tile-qkv.wgsl?raw'
import tileStoreSource from './tile-store.wgsl?raw'
import tileSwigluSource from './tile-swiglu.wgsl?raw'
import turnFourSource from './turn-four.wgsl?raw'
import weightUnitsSource from './weight-units-q4.wgsl?raw'

/** Where the output of a product on f16 tiles goes. */
export type TileOutputBuffers =
  | {
      /** f32 [rows, outFeatures] */
      readonly y: GPUBuffer
    }
  | {
      /** f16 [rows, outFeatures / 2], in the tiles of half-tiles.wgsl. */
      readonly halves: GPUBuffer
    }
  | QkvBuffers

const OUTPUT_SOURCES: Readonly<Record<LinearOutput['kind'], readonly string[]>> = {
  store: [tileStoreSource],
  add: [tileStoreSource],
  swiglu: [tileSwigluSource],
  qkv: [turnFourSource, tileQkvSource],
}

/** Elements of a unit of weight-units-q4.wgsl, within which a group must not end. */
export const WEIGHT_UNIT = 32

/** The modules that read a 4-bit weight in units, and write a tile of an output. */
export function tileSources({ kind }: LinearOutput): string[] {
  return [...HALF_TILE_SOURCES, quantizedOctetSource, weightUnitsSource, ...OUTPUT_SOURCES[kind]]
}

/** The buffers of an output's bindings, in order. */
export function tileBindings(output: TileOutputBuffers): GPUBuffer[] {
  if ('y' in output) return [output.y]
  if ('halves' in output) return [output.halves]
  return qkvBindings(output)
}
