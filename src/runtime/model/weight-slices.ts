import type { Gpu } from '../../gpu/index.js'
import type { WeightFormat } from '../../kernels/index.js'
import { rowBytes } from './blocks/matrix-layout.js'
import { BLOCK_ROWS, type RowBlock } from './blocks/row-blocks.js'
import type { WeightSlice } from './weights.js'

/**
 * Cuts the rows of a matrix into as few slices as the adapter's limits allow.
 * @param shape [out, in], or [out] for a vector
 */
export function weightSlices(
  gpu: Gpu,
  format: WeightFormat,
  [out, columns = 1]: readonly number[],
): RowBlock[] {
  const limit = Math.min(gpu.limits.maxBufferSize, gpu.limits.maxStorageBufferBindingSize)
  // Where not even one block of rows fits, its allocation says so.
  const fitting = Math.max(1, Math.floor(limit / rowBytes(format, columns).weight / BLOCK_ROWS)) * BLOCK_ROWS
  return Array.from({ length: Math.ceil(out / fitting) }, (_, index) => ({
    firstRow: index * fitting,
    rows: Math.min(fitting, out - index * fitting),
  }))
}

/** Allocates the slices of a matrix, as `weightSlices` cuts it. */
export function allocateSlices(
  gpu: Gpu,
  name: string,
  format: WeightFormat,
  shape: readonly number[],
): WeightSlice[] {
  const bytesPerRow = rowBytes(format, shape[1] ?? 1)
  return weightSlices(gpu, format, shape).map(({ firstRow, rows }) => {
    const weight = gpu.allocate('weights', name, rows * bytesPerRow.weight)
    if (format.type === 'f16') return { format, firstRow, rows, buffers: { weight } }
    const scales = gpu.allocate('weights', `${name} scales`, rows * bytesPerRow.scales)
    const biases = gpu.allocate('weights', `${name} biases`, rows * bytesPerRow.biases)
    return { format, firstRow, rows, buffers: { weight, scales, biases } }
  })
}
