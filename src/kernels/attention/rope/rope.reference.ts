import type { HeadShape } from '../../common/heads.js'

/**
 * Rotary position embedding in float64 of the first half of each query and key head, interleaved pairs.
 * @param qkv [rows, (heads + 2 kvGroups) * headDim]: queries, keys, values
 * @param positions [rows]
 * @param base 10000 times the checkpoint's `rope_ratio`
 */
export function ropeReference(
  qkv: ArrayLike<number>,
  positions: readonly number[],
  { heads, kvGroups, headDim }: HeadShape,
  base: number,
): Float64Array {
  const y = Float64Array.from(qkv)
  const half = headDim / 2
  positions.forEach((position, row) => {
    for (let head = 0; head < heads + kvGroups; head++) {
      const at = (row * (heads + 2 * kvGroups) + head) * headDim
      for (let i = 0; i < half; i += 2) {
        const angle = position * base ** (-i / half)
        const [a, b] = [y[at + i], y[at + i + 1]]
        y[at + i] = a * Math.cos(angle) - b * Math.sin(angle)
        y[at + i + 1] = b * Math.cos(angle) + a * Math.sin(angle)
      }
    }
  })
  return y
}
