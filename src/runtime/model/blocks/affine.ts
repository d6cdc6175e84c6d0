import {
  type AffineQuantization,
  matrixBase,
  parseQuantizationConfig,
  type QuantizedLinear,
  quantizationOf,
  quantizedLinear,
} from '../../../checkpoint/index.js'
import { type BlockReader, checkMatrixShape, type MatrixForm, type StoredMatrix } from './block-reader.js'
import { hostBlock } from './host-block.js'
import { MATRIX_PARTS, quantizedFormat, rowBytes } from './matrix-layout.js'
import { rowBlocks } from './row-blocks.js'

/** This project's and MLX's form, which is copied as it is: packed weight, scales and biases, a tensor each. */
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

function affineForm({ bits, groupSize }: AffineQuantization): MatrixForm {
  return { bits, quantizationAfter: () => ({ bits, groupSize }) }
}

function affineMatrix(linear: QuantizedLinear): StoredMatrix {
  const format = quantizedFormat(linear)
  const bytesPerRow = rowBytes(format, linear.inFeatures)
  return {
    ...affineForm(linear),
    tensors: MATRIX_PARTS.map((part) => linear[part]),
    isConverted: true,
    rows: async (context) => ({
      // Part by part, as scales and biases are so much smaller: with each block of the weight they would be small reads.
      blocks: (rows) =>
        MATRIX_PARTS.flatMap((part) =>
          rowBlocks(rows, bytesPerRow[part]).map((block) =>
            hostBlock(context.gpu, block, format, linear.inFeatures, async () => ({
              [part]: await context.read(linear[part], block.firstRow, block.rows, bytesPerRow[part]),
            })),
          ),
        ),
      finish: async () => {},
    }),
  }
}
