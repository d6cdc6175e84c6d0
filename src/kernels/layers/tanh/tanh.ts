import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './tanh.wgsl?raw'

const MAX_WORKGROUPS = 65_535

export interface TanhConstants {
  readonly count: number
}

export interface TanhBuffers {
  /** f32 [count], changed in place. */
  readonly x: GPUBuffer
}

/**
 * Compiles tanh of `count` elements of an f32 buffer, in place.
 * @throws `option.kernel-argument` for more elements than one dispatch holds
 */
export async function compileTanh(gpu: Gpu, { count }: TanhConstants): Promise<Kernel<TanhBuffers>> {
  const workgroupSize = gpu.workgroupSize(256)
  const workgroups = Math.ceil(count / workgroupSize)
  if (workgroups > MAX_WORKGROUPS) throw kernelArgument('tanh', `${count} elements are too many`)
  const pipeline = await gpu.compile('tanh', [source], {
    u32: { COUNT: count, WORKGROUP_SIZE: workgroupSize },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x }) => [x],
    () => [workgroups, 1, 1],
  )
}
