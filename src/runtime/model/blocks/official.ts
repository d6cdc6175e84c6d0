import {
  asUint16Array,
  type ChatGLMQuantizedLinear,
  chatGLMQuantizationBits,
  chatGLMQuantizedLinear,
  matrixBase,
  repackChatGLMScales,
  repackChatGLMWeight,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import { isOfLayer } from '../names/hf.js'
import { type BlockReader, checkMatrixShape, type MatrixForm, type StoredMatrix } from './block-reader.js'
import { hostBlock } from './host-block.js'
import { inGroups, type MatrixRows, quantizedFormat, rowBytes } from './matrix-layout.js'
import { rowBlocks } from './row-blocks.js'

/** What `quantize(8)` and `quantize(4)` of the official code save: an I8 weight and a float16 scale for each row. */
export const officialReader: BlockReader = {
  announced(config, { name, shape }) {
    const bits = chatGLMQuantizationBits(config)
    // `quantize()` leaves embedding and output layer as they are.
    return bits && isOfLayer(name) ? officialForm(bits, name, shape[1]) : undefined
  },
  open(checkpoint, spec) {
    const bits = chatGLMQuantizationBits(checkpoint.config)
    const linear = bits && chatGLMQuantizedLinear(checkpoint, bits, matrixBase(spec.name))
    if (!linear) return undefined
    checkMatrixShape(spec, linear)
    return officialMatrix(linear)
  },
}

/** Groups of any size repeat the one scale of their row. */
function officialForm(bits: 4 | 8, name: string, columns: number): MatrixForm {
  if (!inGroups(bits, columns, 32)) {
    throw new CheckpointError(
      'checkpoint.not-quantizable',
      `${name} has ${columns} columns in the official ${bits}-bit format, which do not divide into groups of 32. ` +
        'Quantize from the float16 checkpoint instead.',
    )
  }
  return { bits, quantizationAfter: (wanted) => inGroups(bits, columns, wanted?.groupSize ?? 64) }
}

function officialMatrix({ bits, weight, weightScale, inFeatures }: ChatGLMQuantizedLinear): StoredMatrix {
  return {
    ...officialForm(bits, weight.name, inFeatures),
    tensors: [weight, weightScale],
    isConverted: false,
    rows: async (context, quantization) => {
      const format = quantizedFormat(quantization!)
      const bytesPerRow = rowBytes(format, inFeatures)
      const read = async (firstRow: number, rows: number): Promise<MatrixRows> => {
        const packed = await context.read(weight, firstRow, rows, bytesPerRow.weight)
        const scale = asUint16Array(await context.read(weightScale, firstRow, rows, 2))
        const groups = repackChatGLMScales(bits, scale, inFeatures / format.groupSize, firstRow)
        return {
          weight: repackChatGLMWeight(bits, packed),
          scales: new Uint8Array(groups.scales.buffer),
          biases: new Uint8Array(groups.biases.buffer),
        }
      }
      return {
        blocks: (rows) =>
          rowBlocks(rows, bytesPerRow.weight).map((block) =>
            hostBlock(context.gpu, block, format, inFeatures, () => read(block.firstRow, block.rows)),
          ),
        finish: async () => {},
      }
    },
  }
}
