import {
  type AffineQuantization,
  asUint16Array,
  asUint32Array,
  blockLayout,
  dequantizeRows,
  float16ToFloat32,
  float32ToFloat16,
} from '../../../checkpoint/index.js'
import type { MatrixRows } from '../../model/index.js'
import { BlockQuantizer } from './block-quantizer.js'

/** How ONNX Runtime's `MatMulNBits` stores a matrix: w = scale * (q - zero), a scale and a whole zero for each block of a row. */
export interface NBitsFormat {
  readonly bits: 4 | 8
  /** A power of two, at least 16. */
  readonly blockSize: number
}

/** The types of ggml that are written. */
export type WrittenBlockType = 'Q4_0' | 'Q8_0'

/** A form in which rows of a matrix are written, and the parts that it has. */
export type RowForm =
  /**
   * `MatMulNBits`: u8 [rows, blocks, blockSize * bits / 8], the first element in the lowest bits; scales [rows, blocks]; and
   * zeros u8 [rows, ceil(blocks * bits / 8)], the first in the lowest bits.
   */
  | ({ readonly kind: 'nbits'; readonly scales: 'F16' | 'F32' } & NBitsFormat)
  /** ggml's blocks of 32, one part. */
  | { readonly kind: 'ggml'; readonly type: WrittenBlockType }
  /** Floats, one part. */
  | { readonly kind: 'floats'; readonly dtype: 'F16' | 'F32' }

/** Rows as a `RowReader` has them, and what they are to become. Can be sent to a thread. */
export interface RowJob {
  readonly rows: MatrixRows
  /** Undefined for float16. */
  readonly quantization: AffineQuantization | undefined
  readonly columns: number
  readonly form: RowForm
}

export interface EncodedRows {
  /** The rows in each part of the form. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[]
  /** Sums over all elements: of squared differences from what was read, and of its squares; not finite where an element is not. */
  readonly squaredError: number
  readonly squares: number
}

export function blocksOf(columns: number, { blockSize }: Pick<NBitsFormat, 'blockSize'>): number {
  return Math.ceil(columns / blockSize)
}

/** Bytes of the zeros of a row. */
export function zeroBytes(columns: number, format: NBitsFormat): number {
  return Math.ceil((blocksOf(columns, format) * format.bits) / 8)
}

/** Rows as float32, with the grids of their groups where they have some. */
interface Floats {
  readonly values: Float32Array
  readonly columns: number
  readonly groupSize: number
  readonly scales: Float32Array
  readonly biases: Float32Array
}

const NONE = new Float32Array(0)

/** Brings rows into a form. */
export function encodeRows({ rows, quantization, columns, form }: RowJob): EncodedRows {
  if (form.kind === 'floats' && form.dtype === 'F16' && !quantization) {
    return { parts: [new Uint8Array(rows.weight!)], squaredError: 0, squares: 0 }
  }
  const floats = floatsOf(rows, quantization, columns)
  if (form.kind === 'nbits') return nbits(floats, form)
  if (form.kind === 'ggml') return ggml(floats, form.type)
  const { values } = floats
  const halves = form.dtype === 'F16' ? float32ToFloat16(values) : values
  return { parts: [bytesOf(halves)], squaredError: 0, squares: 0 }
}

function floatsOf(
  { weight, scales, biases }: MatrixRows,
  quantization: AffineQuantization | undefined,
  columns: number,
): Floats {
  if (!quantization) {
    const values = float16ToFloat32(asUint16Array(weight!))
    return { values, columns, groupSize: 0, scales: NONE, biases: NONE }
  }
  const halves = [asUint16Array(scales!), asUint16Array(biases!)] as const
  return {
    values: dequantizeRows(asUint32Array(weight!), ...halves, quantization),
    columns,
    groupSize: quantization.groupSize,
    scales: float16ToFloat32(halves[0]),
    biases: float16ToFloat32(halves[1]),
  }
}

/** Calls `take` after each block was fitted, in order. @returns the sums of errors and squares */
function fitBlocks(
  { values, columns, groupSize, scales, biases }: Floats,
  quantizer: BlockQuantizer,
  blockSize: number,
  take: (block: number, row: number, blockOfRow: number) => void,
): Pick<EncodedRows, 'squaredError' | 'squares'> {
  const rows = values.length / columns
  const blocks = blocksOf(columns, { blockSize })
  // A block lies on a grid that is known only where it is within one group.
  const onGrid = groupSize > 0 && groupSize % blockSize === 0
  let squaredError = 0
  let squares = 0
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * blockSize
      const group = onGrid ? Math.floor(begin / groupSize) : 0
      quantizer.fit(
        values,
        begin,
        Math.min(begin + blockSize, (row + 1) * columns),
        onGrid ? scales[group] : 0,
        onGrid ? biases[group] : 0,
      )
      take(row * blocks + block, row, block)
      squaredError += quantizer.squaredError
      squares += quantizer.squares
    }
  }
  return { squaredError, squares }
}

function nbits(floats: Floats, form: Extract<RowForm, { kind: 'nbits' }>): EncodedRows {
  const { bits, blockSize } = form
  const { values, columns } = floats
  const rows = values.length / columns
  const count = rows * blocksOf(columns, form)
  const rowZeros = zeroBytes(columns, form)
  const weight = new Uint8Array((count * blockSize * bits) / 8)
  const scales = new Float32Array(count)
  const zeros = new Uint8Array(rows * rowZeros)
  const quantizer = new BlockQuantizer({ bits, blockSize, zero: 'any' })
  const sums = fitBlocks(floats, quantizer, blockSize, (block, row, blockOfRow) => {
    const { integers, scale, zero } = quantizer
    const at = (block * blockSize * bits) / 8
    if (bits === 8) weight.set(integers, at)
    else {
      for (let i = 0; i < blockSize; i += 2) weight[at + (i >> 1)] = integers[i] | (integers[i + 1] << 4)
    }
    scales[block] = scale
    const zeroBit = blockOfRow * bits
    zeros[row * rowZeros + (zeroBit >> 3)] |= zero << (zeroBit & 7)
  })
  const stored = form.scales === 'F16' ? float32ToFloat16(scales) : scales
  return { parts: [weight, bytesOf(stored), zeros], ...sums }
}

function ggml(floats: Floats, type: WrittenBlockType): EncodedRows {
  const { bytes, elements } = blockLayout(type)
  const bits = type === 'Q4_0' ? 4 : 8
  const count = floats.values.length / elements
  const out = new Uint8Array(count * bytes)
  const scales = new Float32Array(count)
  const quantizer = new BlockQuantizer({ bits, blockSize: elements, zero: 'middle' })
  const sums = fitBlocks(floats, quantizer, elements, (block) => {
    const { integers, scale } = quantizer
    // Behind the scale.
    const at = block * bytes + 2
    scales[block] = scale
    if (type === 'Q4_0') {
      for (let i = 0; i < 16; i++) out[at + i] = integers[i] | (integers[i + 16] << 4)
    } else {
      // Taking 128 from an integer of 8 bits flips its highest one.
      for (let i = 0; i < 32; i++) out[at + i] = integers[i] ^ 0x80
    }
  })
  const halves = new Uint16Array(out.buffer)
  for (const [block, half] of float32ToFloat16(scales).entries()) halves[(block * bytes) / 2] = half
  return { parts: [out], ...sums }
}

/** All memory of an array, which was made here. */
function bytesOf(values: Float32Array | Uint16Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer as ArrayBuffer)
}
