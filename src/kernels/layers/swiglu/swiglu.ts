import type { Dispatch, Gpu } from '../../../gpu/index.js'
import source from './swiglu.wgsl?raw'

export interface SwigluBuffers {
  /** Gate and up projection, f32 [rows, 2 width]. */
  readonly x: GPUBuffer
  /** Output, f32 [rows, width]. */
  readonly y: GPUBuffer
}

/** Compiles SwiGLU: y = silu(first half of x) * second half of x, row by row. */
export async function compileSwiglu(
  gpu: Gpu,
  width: number,
): Promise<(label: string, buffers: SwigluBuffers) => Dispatch> {
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('swiglu', [source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: workgroupSize },
  })
  return (label, { x, y }) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [x, y]),
    workgroups: (rows) => [Math.ceil(width / workgroupSize), rows, 1],
  })
}
