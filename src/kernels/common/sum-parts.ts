import type { BufferRange, Gpu } from '../../gpu/index.js'
import { kernelArgument } from '../errors.js'
import { dispatchKernel, type Kernel } from './kernel.js'
import source from './sum-parts.wgsl?raw'

/** Rows that a workgroup adds up to one part. */
export const BLOCK_ROWS = 16

/** The most rows whose blocks fit into one dimension of a dispatch. */
const MAX_ROWS = 65_535 * BLOCK_ROWS

/** What kernels need that add up rows in blocks. */
export interface RowBlocksConstants {
  /** Elements of a row. */
  readonly width: number
  /** Rows that the buffers have room for. */
  readonly maxRows: number
}

/** Blocks of `maxRows` rows, and bytes of their parts. @throws `option.kernel-argument` where a size is out of range */
export function rowBlocks(kernel: string, { width, maxRows }: RowBlocksConstants) {
  if (!Number.isSafeInteger(width) || width < 1) throw kernelArgument(kernel, `rows of ${width}`)
  if (!Number.isSafeInteger(maxRows) || maxRows < 1 || maxRows > MAX_ROWS) {
    throw kernelArgument(kernel, `room for ${maxRows} rows, which is not from 1 to ${MAX_ROWS}`)
  }
  const blocks = Math.ceil(maxRows / BLOCK_ROWS)
  return { blocks, scratchBytes: 4 * blocks * width }
}

export interface SumPartsBuffers {
  /** f32 [ceil(maxRows / BLOCK_ROWS), width] */
  readonly parts: GPUBuffer
  /** u32 [1]: rows that were added up in blocks. */
  readonly rows: BufferRange
  /** f32 [1]: what the sum is multiplied by before it is added. */
  readonly scale: GPUBuffer
  /** f32 [width], added to. */
  readonly total: GPUBuffer
}

/** Columns of a workgroup on a GPU: what lies side by side is read together. */
const COLUMNS = 32

interface SumPartsConstants {
  /** Elements of a part. */
  readonly width: number
}

/** Compiles total[i] += scale * sum of the parts of all blocks that have rows. */
export async function compileSumParts(
  gpu: Gpu,
  { width }: SumPartsConstants,
): Promise<Kernel<SumPartsBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const columns = Math.min(COLUMNS, workgroupSize / 4)
  const pipeline = await gpu.compile('sum-parts', [source], {
    u32: { WIDTH: width, BLOCK_ROWS, COLUMNS: columns, LANES: workgroupSize / columns },
  })
  const workgroups = Math.ceil(width / columns)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ parts, rows, scale, total }) => [parts, rows, scale, total],
    () => [workgroups, 1, 1],
  )
}
