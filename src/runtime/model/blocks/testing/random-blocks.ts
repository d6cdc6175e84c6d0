import { type BlockType, blockLayout, float32ToFloat16 } from '../../../../checkpoint/index.js'
import { randomNormal, randomSource } from '../../../../kernels/testing/numbers.js'

/** Where a block has its float16 numbers. */
const FACTORS: Readonly<Record<BlockType, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
}
export const BLOCK_TYPES = Object.keys(FACTORS) as BlockType[]

/** Random blocks: any integers, float16 numbers of about a size. */
export function randomBlocks(type: BlockType, count: number, seed: number, deviation = 0.02): Uint8Array {
  const { bytes } = blockLayout(type)
  const random = randomSource(seed)
  const blocks = Uint8Array.from({ length: count * bytes }, () => random() * 256)
  const factors = float32ToFloat16(randomNormal(count * FACTORS[type].length, seed + 1, deviation))
  for (let block = 0; block < count; block++) {
    for (const [i, at] of FACTORS[type].entries()) {
      const half = factors[block * FACTORS[type].length + i]
      blocks.set([half & 255, half >> 8], block * bytes + at)
    }
  }
  return blocks
}
