import type { Gpu } from '../../../gpu/index.js'
import type { WeightFormat } from '../../../kernels/index.js'
import type { MatrixBlock } from './block-reader.js'
import { MATRIX_PARTS, type MatrixRows, rowBytes } from './matrix-layout.js'
import type { RowBlock } from './row-blocks.js'

/**
 * A block whose rows get their form on the host, and are then written to the GPU as they are.
 * @param gpu undefined where blocks are read and not loaded
 * @param format that they have afterwards
 * @param read gives the rows in that form
 */
export function hostBlock(
  gpu: Gpu | undefined,
  { firstRow, rows }: RowBlock,
  format: WeightFormat,
  columns: number,
  read: () => Promise<MatrixRows>,
): MatrixBlock {
  const bytesPerRow = rowBytes(format, columns)
  return {
    firstRow,
    rows,
    read,
    load: async (slice) => {
      if (!gpu) throw new TypeError('A block is loaded into the memory of a GPU; none was given.')
      const parts = await read()
      let waiting = 0
      for (const part of MATRIX_PARTS) {
        const [bytes, buffer] = [parts[part], slice.buffers[part]]
        if (!bytes || !buffer) continue
        gpu.write(buffer, (firstRow - slice.firstRow) * bytesPerRow[part], bytes)
        waiting += bytes.byteLength
      }
      return waiting
    },
  }
}
