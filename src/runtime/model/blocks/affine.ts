import {
  dtypeBytes,
  type FloatDType,
  float32ToFloat16,
  matrixBase,
  parseQuantizationConfig,
  type QuantizedLinear,
  quantizationOf,
  quantizedLinear,
  type StoredQuantization,
  toFloat32,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { type BlockReader, checkMatrixShape, type MatrixForm, type StoredMatrix } from './block-reader.js'
import { hostBlock } from './host-block.js'
import { MATRIX_PARTS, type MatrixPart, quantizedFormat } from './matrix-layout.js'
import { rowBlocks } from './row-blocks.js'

/**
 * This project's and MLX's form: packed weight, scales and biases, a tensor each. It is copied as it is, but for integers
 * of 2, 3, 5 or 6 bits, which get 4 or 8, and scales and biases of BF16 or F32, which become float16.
 */
export const affineReader: BlockReader = {
  announced(config, { name }) {
    const quantization = quantizationOf(parseQuantizationConfig(config), name)
    return quantization && affineForm(quantization)
  },
  open(checkpoint, spec) {
    const config = parseQuantizationConfig(checkpoint.config)
    const linear = quantizedLinear(checkpoint, config, matrixBase(spec.name))
    if (!linear) return undefined
    checkMatrixShape(spec, linear)
    return affineMatrix(linear)
  },
}

/** The bits that integers get on the GPU. */
const bitsOnGpu = (stored: StoredQuantization['bits']) => (stored <= 4 ? 4 : 8)

function affineForm({ bits: stored, groupSize }: StoredQuantization): MatrixForm {
  const bits = bitsOnGpu(stored)
  return { bits, quantizationAfter: () => ({ bits, groupSize }) }
}

function affineMatrix(linear: QuantizedLinear): StoredMatrix {
  const { inFeatures, groupSize } = linear
  const bits = bitsOnGpu(linear.bits)
  const format = quantizedFormat({ bits, groupSize })
  const dtypes = [linear.scales.dtype, linear.biases.dtype]
  const storedBytes: Readonly<Record<MatrixPart, number>> = {
    weight: (inFeatures * linear.bits) / 8,
    scales: (inFeatures / groupSize) * dtypeBytes(linear.scales.dtype as FloatDType),
    biases: (inFeatures / groupSize) * dtypeBytes(linear.biases.dtype as FloatDType),
  }
  const convert = (part: MatrixPart, bytes: Uint8Array) =>
    part === 'weight' ? repackBits(bytes, linear.bits, bits) : toHalves(linear, part, bytes)
  return {
    ...affineForm(linear),
    tensors: MATRIX_PARTS.map((part) => linear[part]),
    ...(dtypes.includes('F32') && {
      loss: 'MLX with scales in F32: they are rounded to float16, by at most 0.05 %',
    }),
    isConverted: linear.bits === bits && dtypes.every((dtype) => dtype === 'F16'),
    rows: async (context) => ({
      // Part by part, as scales and biases are so much smaller: with each block of the weight they would be small reads.
      blocks: (rows) =>
        MATRIX_PARTS.flatMap((part) =>
          rowBlocks(rows, storedBytes[part]).map((block) =>
            hostBlock(context.gpu, block, format, inFeatures, async () => ({
              [part]: convert(
                part,
                await context.read(linear[part], block.firstRow, block.rows, storedBytes[part]),
              ),
            })),
          ),
        ),
      finish: async () => {},
    }),
  }
}

/** Gives integers that lie one behind the other more bits each. */
function repackBits(bytes: Uint8Array, from: StoredQuantization['bits'], to: 4 | 8): Uint8Array {
  if (from === to) return bytes
  const count = (bytes.byteLength * 8) / from
  const mask = 2 ** from - 1
  const packed = new Uint8Array((count * to) / 8)
  for (let i = 0; i < count; i++) {
    const bit = i * from
    // An integer lies in at most two bytes; behind the last one there is none to take anything from.
    const pair = bytes[bit >>> 3] | ((bytes[(bit >>> 3) + 1] ?? 0) << 8)
    const q = (pair >> (bit & 7)) & mask
    if (to === 8) packed[i] = q
    else packed[i >> 1] |= q << ((i & 1) * 4)
  }
  return packed
}

/** Scales or biases as float16. @throws `checkpoint.not-quantizable` where one is beyond it */
function toHalves(linear: QuantizedLinear, part: 'scales' | 'biases', bytes: Uint8Array): Uint8Array {
  const { dtype, name, file } = linear[part]
  if (dtype === 'F16') return bytes
  const halves = float32ToFloat16(toFloat32(bytes, dtype as FloatDType))
  if (halves.some((half) => (half & 0x7c00) === 0x7c00)) {
    throw new CheckpointError(
      'checkpoint.not-quantizable',
      `Tensor ${name} in ${file} has ${part} that are not finite in float16. Quantize the model anew, in float16.`,
    )
  }
  return new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength)
}
