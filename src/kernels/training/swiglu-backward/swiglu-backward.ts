import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import type { SwigluConstants } from '../../layers/swiglu/swiglu.js'
import source from './swiglu-backward.wgsl?raw'

export interface SwigluBackwardBuffers {
  /** Gate and up projection, f32 [rows, 2 width]; becomes the gradient of both. */
  readonly x: GPUBuffer
  /** Gradient of SwiGLU's output, f32 [rows, width]. */
  readonly dy: GPUBuffer
}

/** Compiles the gradient of SwiGLU, written over its input: nobody needs that afterwards. */
export async function compileSwigluBackward(
  gpu: Gpu,
  { width }: SwigluConstants,
): Promise<Kernel<SwigluBackwardBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('swiglu-backward', [source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: workgroupSize },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, dy }) => [x, dy],
    (rows) => [Math.ceil(width / workgroupSize), rows, 1],
  )
}
