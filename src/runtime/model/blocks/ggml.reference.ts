import type { BlockType } from '../../../checkpoint/index.js'

/**
 * The definition of ggml's blocks: each element from the bits of its block alone, in float64.
 * @param block the bytes of one block
 * @param i the element within the block
 */
export function referenceElement(type: BlockType, block: Uint8Array, i: number): number {
  const nibble = (at: number, upper: boolean) => (upper ? Math.floor(block[at] / 16) : block[at] % 16)
  const bit = (at: number, index: number) => Math.floor(block[at] / 2 ** index) % 2
  const signed = (byte: number) => (byte < 128 ? byte : byte - 256)
  // Blocks of 32: the first 16 elements in the lower halves of 16 bytes, the others in the upper ones.
  const ofSixteen = (at: number) => nibble(at + (i % 16), i >= 16)
  // Blocks of 256 with halves of bytes: 64 neighbours in 32 bytes.
  const ofPairs = (at: number) => nibble(at + Math.floor(i / 64) * 32 + (i % 32), i % 64 >= 32)
  // 128 neighbours in 32 bytes of four.
  const ofFours = (at: number) =>
    Math.floor(block[at + Math.floor(i / 128) * 32 + (i % 32)] / 4 ** (Math.floor(i / 32) % 4)) % 4
  switch (type) {
    case 'Q4_0':
      return half(block, 0) * (ofSixteen(2) - 8)
    case 'Q4_1':
      return half(block, 0) * ofSixteen(4) + half(block, 2)
    case 'Q5_0':
      return half(block, 0) * (ofSixteen(6) + 16 * bit(2 + Math.floor(i / 8), i % 8) - 16)
    case 'Q5_1':
      return half(block, 0) * (ofSixteen(8) + 16 * bit(4 + Math.floor(i / 8), i % 8)) + half(block, 2)
    case 'Q8_0':
      return half(block, 0) * signed(block[2 + i])
    case 'Q2_K': {
      const both = block[Math.floor(i / 16)]
      return half(block, 80) * (both % 16) * ofFours(16) - half(block, 82) * Math.floor(both / 16)
    }
    case 'Q3_K': {
      const part = Math.floor(i / 16)
      const low = nibble(96 + (part % 8), part >= 8)
      const high = Math.floor(block[104 + (part % 4)] / 4 ** Math.floor(part / 4)) % 4
      const q = ofFours(32) + 4 * bit(i % 32, Math.floor(i / 32))
      return half(block, 108) * (low + 16 * high - 32) * (q - 4)
    }
    case 'Q4_K': {
      const [scale, min] = scaleAndMin(block, Math.floor(i / 32))
      return half(block, 0) * scale * ofPairs(16) - half(block, 2) * min
    }
    case 'Q5_K': {
      const [scale, min] = scaleAndMin(block, Math.floor(i / 32))
      const q = ofPairs(48) + 16 * bit(16 + (i % 32), Math.floor(i / 32))
      return half(block, 0) * scale * q - half(block, 2) * min
    }
    case 'Q6_K': {
      const low = nibble(Math.floor(i / 128) * 64 + (i % 64), i % 128 >= 64)
      return half(block, 208) * signed(block[192 + Math.floor(i / 16)]) * (low + 16 * ofFours(128) - 32)
    }
  }
}

/** A float16 number of the block. */
function half(block: Uint8Array, at: number): number {
  const word = block[at] + 256 * block[at + 1]
  const exponent = Math.floor(word / 1024) % 32
  const fraction = word % 1024
  const magnitude = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
  return word < 32768 ? magnitude : -magnitude
}

/** Scale and minimum of group `j` of Q4_K and Q5_K, 6 bits each: the last four groups are put together of two bytes. */
function scaleAndMin(block: Uint8Array, j: number): [scale: number, min: number] {
  const byte = (index: number) => block[4 + index]
  if (j < 4) return [byte(j) % 64, byte(j + 4) % 64]
  const high = (index: number) => 16 * Math.floor(byte(index) / 64)
  return [(byte(j + 4) % 16) + high(j - 4), Math.floor(byte(j + 4) / 16) + high(j)]
}
