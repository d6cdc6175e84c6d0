import { asUint16Array, type BlockType, blockLayout, float16ToFloat32 } from '../../../checkpoint/index.js'
import type { AffineBlockType } from './ggml-affine.js'

/** Types of ggml with a scale for each 16 elements, which no groups of 32 can hold as they are. */
export type FineBlockType = Exclude<BlockType, AffineBlockType>

/** Writes the elements of a block. @param d the block's float16 numbers, as float32 */
type Dequantize = (
  blocks: Uint8Array,
  at: number,
  d: readonly number[],
  out: Float32Array,
  to: number,
) => void

interface FineBlock {
  /** Where the float16 numbers of a block lie, in bytes. */
  readonly factors: readonly number[]
  readonly dequantize: Dequantize
}

/** Two bits of 256 elements in 64 bytes: each half of the block has 32 bytes, each of which has 4 elements 32 apart. */
function twoBits(blocks: Uint8Array, at: number, element: number): number {
  return (blocks[at + (element >> 7) * 32 + (element & 31)]! >> (2 * ((element >> 5) & 3))) & 3
}

/** Sixteen scales of 6 bits in 12 bytes: 8 bytes with two times 4 low bits, 4 bytes with four times 2 high ones. */
function sixBitScale(blocks: Uint8Array, at: number, index: number): number {
  const low = (blocks[at + (index & 7)]! >> (4 * (index >> 3))) & 15
  const high = (blocks[at + 8 + (index & 3)]! >> (2 * (index >> 2))) & 3
  return low | (high << 4)
}

/** The types, after `dequantize_row_*` of ggml's `ggml-quants.c`. */
const FINE_BLOCKS: Readonly<Record<FineBlockType, FineBlock>> = {
  // 16 bytes of scales and minima of 4 bits, 64 bytes of q, d, dmin: w = d * scale * q - dmin * min
  Q2_K: {
    factors: [80, 82],
    dequantize: (blocks, at, [d, dmin], out, to) => {
      for (let part = 0; part < 16; part++) {
        const both = blocks[at + part]!
        const scale = d! * (both & 15)
        const min = dmin! * (both >> 4)
        for (let i = part * 16; i < part * 16 + 16; i++)
          out[to + i] = scale * twoBits(blocks, at + 16, i) - min
      }
    },
  },
  // 32 bytes of high bits, 64 bytes of low ones, 12 bytes of scales, d: w = d * (scale - 32) * (q - 4)
  Q3_K: {
    factors: [108],
    dequantize: (blocks, at, [d], out, to) => {
      for (let part = 0; part < 16; part++) {
        const scale = d! * (sixBitScale(blocks, at + 96, part) - 32)
        for (let i = part * 16; i < part * 16 + 16; i++) {
          const high = (blocks[at + (i & 31)]! >> (i >> 5)) & 1
          out[to + i] = scale * ((twoBits(blocks, at + 32, i) | (high << 2)) - 4)
        }
      }
    },
  },
  // 128 bytes of low bits, 64 bytes of high ones, 16 signed scales, d: w = d * scale * (q - 32)
  Q6_K: {
    factors: [208],
    dequantize: (blocks, at, [d], out, to) => {
      for (let part = 0; part < 16; part++) {
        const scale = d! * ((blocks[at + 192 + part]! << 24) >> 24)
        const half = part >> 3
        // Of the 128 elements of a half, the first 64 are in the lower halves of its bytes.
        const shift = 4 * ((part >> 2) & 1)
        for (let i = part * 16; i < part * 16 + 16; i++) {
          const low = (blocks[at + half * 64 + (i & 63)]! >> shift) & 15
          out[to + i] = scale * ((low | (twoBits(blocks, at + 128, i) << 4)) - 32)
        }
      }
    },
  },
}

/** Whether a type has its scales finer than groups of 32. */
export function isFineType(type: BlockType): type is FineBlockType {
  return Object.hasOwn(FINE_BLOCKS, type)
}

/**
 * The elements of blocks, rounded to float32.
 * @param blocks any number of whole blocks
 */
export function dequantizeBlocks(type: FineBlockType, blocks: Uint8Array): Float32Array {
  const { bytes, elements } = blockLayout(type)
  const { factors, dequantize } = FINE_BLOCKS[type]
  const count = blocks.byteLength / bytes
  const halves = asUint16Array(blocks)
  const patterns = Uint16Array.from(
    { length: count * factors.length },
    (_, i) => halves[(Math.floor(i / factors.length) * bytes + factors[i % factors.length]!) / 2]!,
  )
  const numbers = float16ToFloat32(patterns)
  const out = new Float32Array(count * elements)
  for (let block = 0; block < count; block++) {
    const d = [...numbers.subarray(block * factors.length, (block + 1) * factors.length)]
    dequantize(blocks, block * bytes, d, out, block * elements)
  }
  return out
}
