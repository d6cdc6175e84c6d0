import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import source from './swiglu.wgsl?raw'

/** Sizes of SwiGLU and of its gradient. */
export interface SwigluConstants {
  /** Elements in a row of the output: half of those of the input. */
  readonly width: number
}

export interface SwigluBuffers {
  /** Gate and up projection, f32 [rows, 2 width]. */
  readonly x: GPUBuffer
  /** Output, f32 [rows, width]. */
  readonly y: GPUBuffer
}

/** Compiles SwiGLU: y = silu(first half of x) * second half of x, row by row. */
export async function compileSwiglu(gpu: Gpu, { width }: SwigluConstants): Promise<Kernel<SwigluBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('swiglu', [source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: workgroupSize },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, y }) => [x, y],
    (rows) => [Math.ceil(width / workgroupSize), rows, 1],
  )
}
