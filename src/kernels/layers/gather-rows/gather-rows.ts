import type { BufferRange, Dispatch, Gpu } from '../../../gpu/index.js'
import source from './gather-rows.wgsl?raw'

export interface GatherRowsBuffers {
  /** u32 [rows] */
  readonly index: BufferRange
  /** f32 [any, width], of which rows are gathered; [rows, width], which are scattered. */
  readonly x: GPUBuffer
  /** f32 [rows, width]; where rows are scattered [any, width], of which the others stay. */
  readonly y: GPUBuffer
}

type Bind = (label: string, buffers: GatherRowsBuffers) => Dispatch

async function compile(gpu: Gpu, name: string, width: number, scatter: boolean): Promise<Bind> {
  const pipeline = await gpu.compile(name, [source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: gpu.workgroupSize(256) },
    bool: { SCATTER: scatter },
  })
  return (label, { index, x, y }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [index, x, y]),
    workgroups: (rows) => [rows, 1, 1],
  })
}

/** Compiles y[r] = x[index[r]] for rows of `width` f32. */
export function compileGatherRows(gpu: Gpu, width: number): Promise<Bind> {
  return compile(gpu, 'gather-rows', width, false)
}

/** Compiles the inverse, y[index[r]] = x[r]; no index may occur twice. */
export function compileScatterRows(gpu: Gpu, width: number): Promise<Bind> {
  return compile(gpu, 'scatter-rows', width, true)
}
