import {
  type BlockType,
  blockLayout,
  float32ToFloat16,
  isBlockType,
  type TensorInfo,
} from '../../../checkpoint/index.js'
import { CheckpointError } from '../../../errors/index.js'
import type { BlockContext } from './block-context.js'
import type { BlockReader, MatrixForm, RowReader, StoredMatrix } from './block-reader.js'
import { quantizedRows } from './float.js'
import { AFFINE_BLOCKS, type AffineBlockType, GROUP } from './ggml-affine.js'
import { dequantizeBlocks, type FineBlockType, isFineType } from './ggml-floats.js'
import { hostBlock } from './host-block.js'
import { type MatrixRows, quantizedFormat } from './matrix-layout.js'
import { rowBlocks } from './row-blocks.js'

/**
 * A tensor of ggml's blocks, as GGUF files have them. Blocks of 32, and Q4_K and Q5_K, keep their integers, in groups of
 * 32; types with finer scales become floats and are quantized to 8 bits on the GPU.
 */
export const ggmlReader: BlockReader = {
  announced: () => undefined,
  open(checkpoint, spec) {
    const { dtype } = checkpoint.tensors.get(spec.name) ?? {}
    if (dtype === undefined || !isBlockType(dtype)) return undefined
    const tensor = checkpoint.requireTensor(spec.name, { shape: spec.shape })
    return isFineType(dtype) ? fineMatrix(tensor, dtype) : affineMatrix(tensor, dtype)
  },
}

function formOf(bits: 4 | 8): MatrixForm {
  return { bits, quantizationAfter: () => ({ bits, groupSize: GROUP }) }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint16Array | Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function bytesOfRow(type: BlockType, columns: number): number {
  const { elements, bytes } = blockLayout(type)
  return (columns / elements) * bytes
}

function affineMatrix(tensor: TensorInfo, type: AffineBlockType): StoredMatrix {
  const { bits, rounded } = AFFINE_BLOCKS[type]
  return {
    ...formOf(bits),
    tensors: [tensor],
    isConverted: false,
    ...(rounded && { loss: `${type}: scales are rounded to float16, by at most 0.05 %` }),
    rows: async (context) => {
      await context.openRepackers()
      return affineRows(context, tensor, type)
    },
  }
}

function affineRows(context: BlockContext, tensor: TensorInfo, type: AffineBlockType): RowReader {
  const columns = tensor.shape[1]!
  const bytesPerRow = bytesOfRow(type, columns)
  const format = quantizedFormat({ bits: AFFINE_BLOCKS[type].bits, groupSize: GROUP })
  const read = async (firstRow: number, rows: number): Promise<MatrixRows> => {
    const blocks = await context.read(tensor, firstRow, rows, bytesPerRow)
    const groups = await context.repack({ type, blocks })
    if (!groups) {
      throw new CheckpointError(
        'checkpoint.not-quantizable',
        `Tensor ${tensor.name} in ${tensor.file} has scales in rows ${firstRow} to ${firstRow + rows - 1} that are not ` +
          'finite, or with which its elements are beyond float16. The file is damaged, or the training diverged.',
      )
    }
    return { weight: groups.weight, scales: bytesOf(groups.scales), biases: bytesOf(groups.biases) }
  }
  return {
    blocks: (rows) =>
      rowBlocks(rows, bytesPerRow).map((block) =>
        hostBlock(context.gpu, block, format, columns, () => read(block.firstRow, block.rows)),
      ),
    finish: async () => {},
  }
}

function fineMatrix(tensor: TensorInfo, type: FineBlockType): StoredMatrix {
  const columns = tensor.shape[1]!
  return {
    ...formOf(8),
    tensors: [tensor],
    isConverted: false,
    loss: `${type}: quantized anew to 8 bits in groups of 32, by at most 0.4 % of the range of each`,
    isRequantized: true,
    rows: async (context, quantization) => {
      const bytesPerRow = bytesOfRow(type, columns)
      const read = async (firstRow: number, rows: number) =>
        dequantizeBlocks(type, await context.read(tensor, firstRow, rows, bytesPerRow))
      if (quantization) {
        const floats = { ...tensor, dtype: 'F32' } as const
        return quantizedRows(context, floats, quantization, async (firstRow, rows) =>
          bytesOf(await read(firstRow, rows)),
        )
      }
      return {
        blocks: (rows) =>
          rowBlocks(rows, columns * 4).map((block) =>
            hostBlock(context.gpu, block, { type: 'f16' }, columns, async () => ({
              weight: bytesOf(float32ToFloat16(await read(block.firstRow, block.rows))),
            })),
          ),
        finish: async () => {},
      }
    },
  }
}
