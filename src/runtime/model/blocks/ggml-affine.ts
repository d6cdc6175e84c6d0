import {
  asUint16Array,
  type BlockType,
  blockLayout,
  float16ToFloat32,
  float32ToFloat16,
} from '../../../checkpoint/index.js'

/** Types of ggml whose integers and scales are those of groups of 32, so that they are only put into another order. */
export type AffineBlockType = Extract<BlockType, 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q4_K' | 'Q5_K'>

/** Elements of a group, in this project's form. */
export const GROUP = 32

/** Rows in groups of 32: integers, and float16 bit patterns of a scale and a bias for each group. */
export interface AffineGroups {
  /** Of 4 or 8 bits, the first of a row in the lowest bits. */
  readonly weight: Uint8Array
  readonly scales: Uint16Array
  readonly biases: Uint16Array
}

/** Blocks to be put into groups. Can be sent to a thread. */
export interface RepackJob {
  readonly type: AffineBlockType
  /** Any number of whole blocks. */
  readonly blocks: Uint8Array
}

/** The same bytes one by one and in pairs, the first of a pair in the lower half. */
interface Views {
  readonly bytes: Uint8Array
  readonly halves: Uint16Array
}

/** Puts one block into another order. `at` is its offset in bytes, which is even; `group` counts groups. */
type Repack = (from: Views, at: number, to: Views, group: number) => void

/**
 * Integers of 4 bits, as they lie in some bytes: the first ones in the lower halves, the others in the upper ones, as ggml
 * has them. Ours are neighbours.
 * @param count of bytes: 16 or 32
 */
function nibbles({ halves }: Views, at: number, to: Views, target: number, count: number): void {
  const [source, out, upper] = [at >> 1, target >> 1, count >> 2]
  for (let i = 0; i < upper; i++) {
    const a = halves[source + 2 * i]!
    const b = halves[source + 2 * i + 1]!
    to.halves[out + i] = (a & 15) | ((a >> 4) & 0xf0) | ((b & 15) << 8) | ((b << 4) & 0xf000)
    to.halves[out + upper + i] = ((a >> 4) & 15) | ((a >> 8) & 0xf0) | ((b << 4) & 0xf00) | (b & 0xf000)
  }
}

/** As `nibbles`, with a fifth bit of each integer in a word before them, each in a byte of its own. */
function fiveBits({ bytes }: Views, high: number, at: number, { bytes: weight }: Views, to: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i]!
    const first = (bytes[high + (i >> 3)]! >> (i & 7)) & 1
    const second = (bytes[high + 2 + (i >> 3)]! >> (i & 7)) & 1
    weight[to + i] = (byte & 15) | (first << 4)
    weight[to + 16 + i] = (byte >> 4) | (second << 4)
  }
}

interface AffineBlock {
  readonly bits: 4 | 8
  /** Whether scales and biases must be rounded to float16. */
  readonly rounded: boolean
  readonly repack: Repack
}

/** The types, after `dequantize_row_*` of ggml's `ggml-quants.c`. */
export const AFFINE_BLOCKS: Readonly<Record<AffineBlockType, AffineBlock>> = {
  // d, 16 bytes of q: w = d * (q - 8)
  Q4_0: {
    bits: 4,
    rounded: false,
    repack: (from, at, to, group) => nibbles(from, at + 2, to, group * 16, 16),
  },
  // d, m, 16 bytes of q: w = d * q + m
  Q4_1: {
    bits: 4,
    rounded: false,
    repack: (from, at, to, group) => nibbles(from, at + 4, to, group * 16, 16),
  },
  // d, 32 high bits, 16 bytes of low ones: w = d * (q - 16)
  Q5_0: {
    bits: 8,
    rounded: false,
    repack: (from, at, to, group) => fiveBits(from, at + 2, at + 6, to, group * GROUP),
  },
  // d, m, 32 high bits, 16 bytes of low ones: w = d * q + m
  Q5_1: {
    bits: 8,
    rounded: false,
    repack: (from, at, to, group) => fiveBits(from, at + 4, at + 8, to, group * GROUP),
  },
  // d, 32 signed bytes: w = d * q; adding 128 to a signed byte flips its sign bit
  Q8_0: {
    bits: 8,
    rounded: false,
    repack: ({ halves }, at, to, group) => {
      const [source, out] = [(at + 2) >> 1, (group * GROUP) >> 1]
      for (let i = 0; i < GROUP / 2; i++) to.halves[out + i] = halves[source + i]! ^ 0x8080
    },
  },
  // d, dmin, 12 bytes of scales, 4 times 32 bytes whose halves are two groups: w = d * scale * q - dmin * min
  Q4_K: {
    bits: 4,
    rounded: true,
    repack: (from, at, to, group) => {
      for (let pair = 0; pair < 4; pair++) nibbles(from, at + 16 + pair * 32, to, (group + 2 * pair) * 16, 32)
    },
  },
  // d, dmin, 12 bytes of scales, 32 bytes of high bits, one a group, then as Q4_K
  Q5_K: {
    bits: 8,
    rounded: true,
    repack: ({ bytes: blocks }, at, { bytes: weight }, group) => {
      for (let pair = 0; pair < 4; pair++) {
        const to = (group + 2 * pair) * GROUP
        for (let i = 0; i < GROUP; i++) {
          const byte = blocks[at + 48 + pair * 32 + i]!
          const high = blocks[at + 16 + i]! >> (2 * pair)
          weight[to + i] = (byte & 15) | ((high & 1) << 4)
          weight[to + GROUP + i] = (byte >> 4) | ((high & 2) << 3)
        }
      }
    },
  },
}

/**
 * Puts rows of blocks into groups of 32. Integers are kept; scales and biases are exact too, but for Q4_K and Q5_K, whose
 * products of a float16 and 6 bits are rounded to float16.
 * @param blocks any number of whole blocks
 * @returns undefined where a scale or a bias is not finite in float16
 */
export function repackBlocks(type: AffineBlockType, blocks: Uint8Array): AffineGroups | undefined {
  const { bits, repack } = AFFINE_BLOCKS[type]
  const { bytes, elements } = blockLayout(type)
  const count = blocks.byteLength / bytes
  const groupsOfBlock = elements / GROUP
  const groups = count * groupsOfBlock
  const weight = new Uint8Array((groups * GROUP * bits) / 8)
  // Blocks have an even number of bytes.
  const from = { bytes: blocks, halves: asUint16Array(blocks) }
  const to = { bytes: weight, halves: asUint16Array(weight) }
  for (let block = 0; block < count; block++) repack(from, block * bytes, to, block * groupsOfBlock)
  const { scales, biases } = elements === GROUP ? blockScales(type, blocks) : superBlockScales(blocks, bytes)
  return isFinite16(scales) && isFinite16(biases) ? { weight, scales, biases } : undefined
}

/** What is taken from each integer of a type without a minimum of its own. */
const ZERO: Readonly<Partial<Record<AffineBlockType, number>>> = { Q4_0: 8, Q5_0: 16, Q8_0: 128 }

/** d, and either m or -zero * d, which float16 holds as exactly as d: zero is a power of two. */
function blockScales(type: AffineBlockType, blocks: Uint8Array): Pick<AffineGroups, 'scales' | 'biases'> {
  const halves = asUint16Array(blocks)
  const stride = blockLayout(type).bytes / 2
  const scales = new Uint16Array(halves.length / stride)
  for (let i = 0; i < scales.length; i++) scales[i] = halves[i * stride]!
  const zero = ZERO[type]
  if (zero)
    return { scales, biases: float32ToFloat16(float16ToFloat32(scales).map((scale) => -zero * scale)) }
  const biases = new Uint16Array(scales.length)
  for (let i = 0; i < biases.length; i++) biases[i] = halves[i * stride + 1]!
  return { scales, biases }
}

/** Eight scales and eight minima of 6 bits in 12 bytes, times the d and dmin of their block (`get_scale_min_k4`). */
function superBlockScales(blocks: Uint8Array, stride: number): Pick<AffineGroups, 'scales' | 'biases'> {
  const halves = asUint16Array(blocks)
  const count = blocks.byteLength / stride
  const both = Uint16Array.from({ length: 2 * count }, (_, i) => halves[((i >> 1) * stride) / 2 + (i & 1)]!)
  const factors = float16ToFloat32(both)
  const scales = new Float32Array(8 * count)
  const biases = new Float32Array(8 * count)
  for (let block = 0; block < count; block++) {
    const at = block * stride + 4
    for (let i = 0; i < 4; i++) {
      const [scale, min, rest] = [blocks[at + i]!, blocks[at + 4 + i]!, blocks[at + 8 + i]!]
      scales[8 * block + i] = factors[2 * block]! * (scale & 63)
      biases[8 * block + i] = -factors[2 * block + 1]! * (min & 63)
      scales[8 * block + 4 + i] = factors[2 * block]! * ((rest & 15) | ((scale >> 6) << 4))
      biases[8 * block + 4 + i] = -factors[2 * block + 1]! * ((rest >> 4) | ((min >> 6) << 4))
    }
  }
  return { scales: float32ToFloat16(scales), biases: float32ToFloat16(biases) }
}

function isFinite16(halves: Uint16Array): boolean {
  for (const half of halves) if ((half & 0x7c00) === 0x7c00) return false
  return true
}
