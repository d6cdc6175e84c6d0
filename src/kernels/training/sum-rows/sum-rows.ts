import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import source from './sum-rows.wgsl?raw'

export interface SumRowsConstants {
  readonly rows: number
  /** Elements in a row. */
  readonly width: number
}

export interface SumRowsBuffers {
  /** f32 [rows, width] */
  readonly x: GPUBuffer
  /** f32 [width] */
  readonly y: GPUBuffer
}

/** Compiles the sum of the rows of a matrix, which is the gradient of a bias that was added to all of them. */
export async function compileSumRows(
  gpu: Gpu,
  { rows, width }: SumRowsConstants,
): Promise<Kernel<SumRowsBuffers>> {
  const workgroupSize = gpu.workgroupSize(64)
  const pipeline = await gpu.compile('sum-rows', [source], {
    u32: { ROWS: rows, WIDTH: width, WORKGROUP_SIZE: workgroupSize },
  })
  const workgroups = Math.ceil(width / workgroupSize)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, y }) => [x, y],
    () => [workgroups, 1, 1],
  )
}
