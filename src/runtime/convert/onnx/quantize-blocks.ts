import { float16ToFloat32, float32ToFloat16 } from '../../../checkpoint/index.js'

/** How `MatMulNBits` stores a matrix: w = scale * (q - zero), a scale and a whole zero for each block of a row. */
export interface BlockFormat {
  readonly bits: 4 | 8
  /** Neighbours of a row that share a scale: a power of two, at least 16. */
  readonly blockSize: number
}

/** Rows in the format of `MatMulNBits`. */
export interface QuantizedBlocks {
  /** u8 [rows, blocks, blockSize * bits / 8], the first element in the lowest bits. */
  readonly weight: Uint8Array
  /** f16 [rows, blocks], as bits. */
  readonly scales: Uint16Array
  /** u8 [rows, ceil(blocks * bits / 8)], the first zero in the lowest bits. */
  readonly zeros: Uint8Array
  /** Sums over all elements: of squared differences from what was given, and of its squares. */
  readonly squaredError: number
  readonly squares: number
}

/** A grid on which blocks may lie already: one scale and one bias for each block, w = scale * q + bias. */
export interface AffineBlocks {
  readonly scales: Float32Array
  readonly biases: Float32Array
}

/** Adding and subtracting it rounds a float64 of moderate size to the nearest whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 52
const HALF_LARGEST = 65504

export function blocksOf(columns: number, { blockSize }: BlockFormat): number {
  return Math.ceil(columns / blockSize)
}

/** Bytes of the zeros of a row. */
export function zeroBytes(columns: number, format: BlockFormat): number {
  return Math.ceil((blocksOf(columns, format) * format.bits) / 8)
}

/** Quantizes the blocks of a matrix. Keeps what it works with, so that rows of a whole model need no new memory. */
export class BlockQuantizer {
  readonly #format: BlockFormat
  readonly #levels: number
  readonly #half = new Uint16Array(1)
  readonly #float = new Float32Array(1)
  /** Of the best grid found so far for a block. */
  #scale = 0
  #zero = 0
  #error = 0

  constructor(format: BlockFormat) {
    this.#format = format
    this.#levels = 2 ** format.bits - 1
  }

  /**
   * Quantizes rows. For each block a grid is tried whose ends are the block's least and greatest element, or zero, and the
   * scale of the least squared error for the integers that it gives; and before both the grid on which the block lies
   * already, if its bias is a whole multiple of its scale: then nothing is lost.
   * @param values [rows, columns]
   * @param stored blocks of the same size in the source
   */
  quantize(values: Float32Array, columns: number, stored?: AffineBlocks): QuantizedBlocks {
    const { bits, blockSize } = this.#format
    const rows = values.length / columns
    const blocks = blocksOf(columns, this.#format)
    const blockBytes = (blockSize * bits) / 8
    const rowZeros = zeroBytes(columns, this.#format)
    const weight = new Uint8Array(rows * blocks * blockBytes)
    const scales = new Float32Array(rows * blocks)
    const zeros = new Uint8Array(rows * rowZeros)
    let squaredError = 0
    let squares = 0
    for (let row = 0; row < rows; row++) {
      for (let block = 0; block < blocks; block++) {
        const begin = row * columns + block * blockSize
        const end = Math.min(begin + blockSize, (row + 1) * columns)
        const at = row * blocks + block
        let sum = 0
        for (let i = begin; i < end; i++) sum += values[i] * values[i]
        this.#error = Number.POSITIVE_INFINITY
        if (stored) this.#tryStored(values, begin, end, stored.scales[at], stored.biases[at])
        if (this.#error > 0) this.#tryRange(values, begin, end, sum)
        this.#pack(values, begin, end, weight, at * blockBytes)
        scales[at] = this.#scale
        const zeroBit = block * bits
        zeros[row * rowZeros + (zeroBit >> 3)] |= this.#zero << (zeroBit & 7)
        squaredError += this.#error
        squares += sum
      }
    }
    return { weight, scales: float32ToFloat16(scales), zeros, squaredError, squares }
  }

  #toHalf(value: number): number {
    this.#float[0] = Math.min(HALF_LARGEST, value)
    float32ToFloat16(this.#float, this.#half)
    float16ToFloat32(this.#half, this.#float)
    return this.#float[0]
  }

  #tryStored(values: Float32Array, begin: number, end: number, scale: number, bias: number): void {
    const zero = scale === 0 ? 0 : -bias / scale
    if (!(scale > 0) || !Number.isInteger(zero) || zero < 0 || zero > this.#levels) return
    const inverse = 1 / scale
    let error = 0
    for (let i = begin; i < end; i++) {
      const q = Math.max(0, Math.min(this.#levels, values[i] * inverse + zero + ROUNDER - ROUNDER))
      const difference = values[i] - scale * (q - zero)
      error += difference * difference
    }
    this.#scale = scale
    this.#zero = zero
    this.#error = error
  }

  #tryRange(values: Float32Array, begin: number, end: number, squares: number): void {
    const levels = this.#levels
    let low = 0
    let high = 0
    for (let i = begin; i < end; i++) {
      const value = values[i]
      if (value < low) low = value
      else if (value > high) high = value
    }
    const scale = this.#toHalf((high - low) / levels)
    if (!(scale > 0)) {
      this.#keep(0, 0, squares)
      return
    }
    const inverse = 1 / scale
    const zero = Math.max(0, Math.min(levels, -low * inverse + ROUNDER - ROUNDER))
    let products = 0
    let integers = 0
    for (let i = begin; i < end; i++) {
      const value = values[i]
      const step = Math.max(0, Math.min(levels, value * inverse + zero + ROUNDER - ROUNDER)) - zero
      products += value * step
      integers += step * step
    }
    // With the integers as they are, the squared error is a parabola in the scale, with its lowest point at `best`.
    const errorOf = (candidate: number) =>
      Math.max(0, squares - 2 * candidate * products + candidate * candidate * integers)
    this.#keep(scale, zero, errorOf(scale))
    const best = integers > 0 ? this.#toHalf(products / integers) : 0
    if (best > 0) this.#refine(values, begin, end, best, zero)
  }

  /** Tries a scale with the integers that are nearest on it. */
  #refine(values: Float32Array, begin: number, end: number, scale: number, zero: number): void {
    const levels = this.#levels
    const inverse = 1 / scale
    let error = 0
    for (let i = begin; i < end; i++) {
      const step = Math.max(0, Math.min(levels, values[i] * inverse + zero + ROUNDER - ROUNDER)) - zero
      const difference = values[i] - scale * step
      error += difference * difference
    }
    this.#keep(scale, zero, error)
  }

  #keep(scale: number, zero: number, error: number): void {
    if (error >= this.#error) return
    this.#scale = scale
    this.#zero = zero
    this.#error = error
  }

  /** Writes the integers of a block; those behind the end of its row stand for 0. */
  #pack(values: Float32Array, begin: number, end: number, weight: Uint8Array, at: number): void {
    const { bits, blockSize } = this.#format
    const levels = this.#levels
    const zero = this.#zero
    const inverse = this.#scale > 0 ? 1 / this.#scale : 0
    for (let i = 0; i < blockSize; i++) {
      const value = begin + i < end ? values[begin + i] : 0
      const q = Math.max(0, Math.min(levels, value * inverse + zero + ROUNDER - ROUNDER))
      if (bits === 8) weight[at + i] = q
      else weight[at + (i >> 1)] |= q << ((i & 1) * 4)
    }
  }
}

/**
 * The elements that quantized rows stand for, in float32: the inverse of `BlockQuantizer.quantize`. For tests.
 * @returns [rows, columns]
 */
export function dequantizeBlocks(
  {
    weight,
    scales,
    zeros,
  }: Pick<QuantizedBlocks, 'weight' | 'zeros'> & { readonly scales: Uint16Array | Float32Array },
  columns: number,
  format: BlockFormat,
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
