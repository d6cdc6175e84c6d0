import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import source from './gather-rows.wgsl?raw'

export interface GatherRowsConstants {
  /** Elements in a row. */
  readonly width: number
}

export interface GatherRowsBuffers {
  /** u32 [rows] */
  readonly index: BufferRange
  /** f32 [any, width], of which rows are gathered; [rows, width], which are scattered. */
  readonly x: GPUBuffer
  /** f32 [rows, width]; where rows are scattered [any, width], of which the others stay. */
  readonly y: GPUBuffer
}

async function compile(
  gpu: Gpu,
  name: string,
  { width }: GatherRowsConstants,
  scatter: boolean,
): Promise<Kernel<GatherRowsBuffers>> {
  const pipeline = await gpu.compile(name, [source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: gpu.workgroupSize(256) },
    bool: { SCATTER: scatter },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ index, x, y }) => [index, x, y],
    (rows) => [rows, 1, 1],
  )
}

/** Compiles y[r] = x[index[r]] for rows of `width` f32. */
export function compileGatherRows(
  gpu: Gpu,
  constants: GatherRowsConstants,
): Promise<Kernel<GatherRowsBuffers>> {
  return compile(gpu, 'gather-rows', constants, false)
}

/** Compiles the inverse, y[index[r]] = x[r]; no index may occur twice. */
export function compileScatterRows(
  gpu: Gpu,
  constants: GatherRowsConstants,
): Promise<Kernel<GatherRowsBuffers>> {
  return compile(gpu, 'scatter-rows', constants, true)
}
