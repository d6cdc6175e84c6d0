import {
  type AffineQuantization,
  type Checkpoint,
  type DType,
  dtypeBytes,
  type FloatDType,
  float32ToFloat16,
  type TensorInfo,
  toFloat32,
} from '../../../checkpoint/index.js'
import type { TensorSpec } from '../tensors.js'
import type { BlockContext } from './block-context.js'
import type { BlockReader, MatrixForm, RowReader, StoredMatrix } from './block-reader.js'
import { hostBlock } from './host-block.js'
import { inGroups } from './matrix-layout.js'
import { rowBlocks } from './row-blocks.js'

/** Dtypes that weights may have. */
export const FLOAT_DTYPES: readonly DType[] = ['F16', 'BF16', 'F32']

/** One tensor of floats, which become float16 or are quantized on the GPU. Every matrix without another form is this. */
export const floatReader: BlockReader = {
  announced: (_, { shape }) => floatForm(shape[1]),
  open: storedFloats,
}

/**
 * A matrix, or a vector as a matrix of one column, that is stored as floats.
 * @throws `checkpoint.tensor-missing`, `checkpoint.tensor-mismatch`
 */
export function storedFloats(checkpoint: Checkpoint, { name, shape }: TensorSpec): StoredMatrix {
  const tensor = checkpoint.requireTensor(name, { dtype: FLOAT_DTYPES, shape })
  return {
    ...floatForm(shape[1] ?? 1),
    tensors: [tensor],
    isConverted: false,
    rows: (context, quantization) =>
      quantization ? quantizedRows(context, tensor, quantization) : float16Rows(context, tensor),
  }
}

function floatForm(columns: number): MatrixForm {
  return {
    bits: undefined,
    quantizationAfter: (wanted) => wanted && inGroups(wanted.bits, columns, wanted.groupSize),
  }
}

async function float16Rows(context: BlockContext, tensor: TensorInfo): Promise<RowReader> {
  const columns = tensor.shape[1] ?? 1
  const dtype = tensor.dtype as FloatDType
  const bytesPerRow = columns * dtypeBytes(dtype)
  const read = async (firstRow: number, rows: number) => {
    const bytes = await context.read(tensor, firstRow, rows, bytesPerRow)
    if (dtype === 'F16') return { weight: bytes }
    const halves = float32ToFloat16(toFloat32(bytes, dtype))
    return { weight: new Uint8Array(halves.buffer, halves.byteOffset, halves.byteLength) }
  }
  return {
    blocks: (rows) =>
      rowBlocks(rows, bytesPerRow).map((block) =>
        hostBlock(context.gpu, block, { type: 'f16' }, columns, () => read(block.firstRow, block.rows)),
      ),
    finish: async () => {},
  }
}

/**
 * Rows of floats that are quantized on the GPU.
 * @param tensor its name, columns and dtype, which may be those after `readFloats`
 * @param readFloats gives rows in that dtype; by default they are read as they are
 */
export async function quantizedRows(
  context: BlockContext,
  tensor: TensorInfo,
  quantization: AffineQuantization,
  readFloats?: (firstRow: number, rows: number) => Promise<Uint8Array>,
): Promise<RowReader> {
  const matrix = await context.quantizer(quantization).matrix(tensor)
  const { bytesPerRow } = matrix
  return {
    blocks: (all) =>
      rowBlocks(all, bytesPerRow).map(({ firstRow, rows }) => {
        const floats = () => readFloats?.(firstRow, rows) ?? context.read(tensor, firstRow, rows, bytesPerRow)
        return {
          firstRow,
          rows,
          read: async () => matrix.quantize(await floats(), rows),
          load: async (slice) => {
            const bytes = await floats()
            matrix.quantizeInto(bytes, rows, slice.buffers, firstRow - slice.firstRow)
            return bytes.byteLength
          },
        }
      }),
    finish: () => matrix.finish(),
  }
}
