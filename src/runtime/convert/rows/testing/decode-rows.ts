import { float16ToFloat32 } from '../../../../checkpoint/index.js'
import { blocksOf, type NBitsFormat, zeroBytes } from '../encode-rows.js'

/**
 * The elements that rows of `MatMulNBits` stand for, in float32.
 * @param scales float16 as bits, or f32
 * @returns [rows, columns]
 */
export function decodeNBits(
  weight: Uint8Array,
  scales: Uint16Array | Float32Array,
  zeros: Uint8Array,
  columns: number,
  format: NBitsFormat,
): Float32Array {
  const { bits, blockSize } = format
  const blocks = blocksOf(columns, format)
  const rows = scales.length / blocks
  const rowZeros = zeroBytes(columns, format)
  const scale = scales instanceof Float32Array ? scales : float16ToFloat32(scales)
  const mask = 2 ** bits - 1
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    const block = Math.floor(column / blockSize)
    const at = row * blocks + block
    const bit = (at * blockSize + (column % blockSize)) * bits
    const q = (weight[bit >>> 3] >> (bit & 7)) & mask
    const zeroBit = block * bits
    const zero = (zeros[row * rowZeros + (zeroBit >> 3)] >> (zeroBit & 7)) & mask
    return scale[at] * (q - zero)
  })
}
