import type { BufferRange, Gpu, Specialization } from '../../gpu/index.js'
import { HALF_TILE_SOURCES } from './half-tiles.js'
import { type LinearOutput, outputSpecialization, type QkvBuffers, qkvBindings } from './linear-output.js'
import quantizedOctetSource from './quantized-octet.wgsl?raw'
import tileQkvSource from './tile-qkv.wgsl?raw'
import tileStoreSource from './tile-store.wgsl?raw'
import tileSwigluSource from './tile-swiglu.wgsl?raw'
import turnFourSource from './turn-four.wgsl?raw'
import weightUnitsSource from './weight-units-q4.wgsl?raw'

/** What becomes of the output of a product on f16 tiles: also, it is stored with the bias. */
export type TileOutput = LinearOutput | { readonly kind: 'biased' }

/** Where the output of a product on f16 tiles goes. */
export type TileOutputBuffers =
  | {
      /** f32 [rows, outFeatures] */
      readonly y: BufferRange
      /** f16 [outFeatures]; of `biased` only. */
      readonly bias?: GPUBuffer
    }
  | {
      /** f16 [rows, outFeatures / 2], in the tiles of half-tiles.wgsl. */
      readonly halves: GPUBuffer
    }
  | QkvBuffers

const OUTPUT_SOURCES: Readonly<Record<TileOutput['kind'], readonly string[]>> = {
  store: [tileStoreSource],
  biased: [tileStoreSource],
  add: [tileStoreSource],
  swiglu: [tileSwigluSource],
  qkv: [turnFourSource, tileQkvSource],
}

/** Elements of a unit of weight-units-q4.wgsl, within which a group must not end. */
export const WEIGHT_UNIT = 32

/** The modules that read a 4-bit weight in units, and write a tile of an output. */
export function tileSources({ kind }: TileOutput): string[] {
  return [...HALF_TILE_SOURCES, quantizedOctetSource, weightUnitsSource, ...OUTPUT_SOURCES[kind]]
}

/** What the modules of an output are compiled for. */
export function tileSpecialization(output: TileOutput): Pick<Specialization, 'u32' | 'bool'> {
  switch (output.kind) {
    case 'swiglu':
    case 'qkv':
      return outputSpecialization(output)
    default:
      return { bool: { HAS_BIAS: output.kind === 'biased', ACCUMULATE: output.kind === 'add' } }
  }
}

/** The buffers of an output's bindings, in order. */
export function tileBindings(gpu: Gpu, output: TileOutputBuffers): BufferRange[] {
  if ('y' in output) return [output.y, output.bias ?? gpu.empty]
  if ('halves' in output) return [output.halves]
  return qkvBindings(output)
}
