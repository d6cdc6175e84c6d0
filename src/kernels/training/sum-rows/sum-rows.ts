import type { Dispatch, Gpu } from '../../../gpu/index.js'
import source from './sum-rows.wgsl?raw'

export interface SumRowsBuffers {
  /** f32 [rows, width] */
  readonly x: GPUBuffer
  /** f32 [width] */
  readonly y: GPUBuffer
}

/** Compiles the sum of the rows of a matrix, which is the gradient of a bias that was added to all of them. */
export async function compileSumRows(
  gpu: Gpu,
  rows: number,
  width: number,
): Promise<(label: string, buffers: SumRowsBuffers) => Dispatch> {
  const workgroupSize = gpu.workgroupSize(64)
  const pipeline = await gpu.compile('sum-rows', [source], {
    u32: { ROWS: rows, WIDTH: width, WORKGROUP_SIZE: workgroupSize },
  })
  const workgroups = Math.ceil(width / workgroupSize)
  return (label, { x, y }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [x, y]),
    workgroups: () => [workgroups, 1, 1],
  })
}
