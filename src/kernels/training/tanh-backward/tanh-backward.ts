import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import type { TanhConstants } from '../../layers/tanh/tanh.js'
import source from './tanh-backward.wgsl?raw'

export interface TanhBackwardBuffers {
  /** The output of tanh, f32 [count]. */
  readonly y: GPUBuffer
  /** Gradient of y, f32 [count]; becomes the gradient of the input. */
  readonly gradient: GPUBuffer
}

const MAX_WORKGROUPS = 65_535

/**
 * Compiles the gradient of tanh of `count` elements, from its output, in place.
 * @throws `option.kernel-argument` for more elements than one dispatch holds
 */
export async function compileTanhBackward(
  gpu: Gpu,
  { count }: TanhConstants,
): Promise<Kernel<TanhBackwardBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const workgroups = Math.ceil(count / workgroupSize)
  if (workgroups > MAX_WORKGROUPS) {
    throw kernelArgument('tanh-backward', `${count} elements are too many`)
  }
  const pipeline = await gpu.compile('tanh-backward', [source], {
    u32: { COUNT: count, WORKGROUP_SIZE: workgroupSize },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ y, gradient }) => [y, gradient],
    () => [workgroups, 1, 1],
  )
}
