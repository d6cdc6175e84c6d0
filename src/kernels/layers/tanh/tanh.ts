import type { Dispatch, Gpu } from '../../../gpu/index.js'
import { KernelArgumentError } from '../../errors.js'
import source from './tanh.wgsl?raw'

const MAX_WORKGROUPS = 65_535

/**
 * Compiles tanh of `count` elements of an f32 buffer, in place.
 * @throws KernelArgumentError for more elements than one dispatch holds
 */
export async function compileTanh(
  gpu: Gpu,
  count: number,
): Promise<(label: string, x: GPUBuffer) => Dispatch> {
  const workgroupSize = gpu.workgroupSize(256)
  const workgroups = Math.ceil(count / workgroupSize)
  if (workgroups > MAX_WORKGROUPS) throw new KernelArgumentError('tanh', `${count} elements are too many`)
  const pipeline = await gpu.compile('tanh', [source], {
    u32: { COUNT: count, WORKGROUP_SIZE: workgroupSize },
  })
  return (label, x) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [x]),
    workgroups: () => [workgroups, 1, 1],
  })
}
