import type { Gpu } from '../../../gpu/index.js'
import halfSource from '../../common/half.wgsl?raw'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './round-halves.wgsl?raw'

export interface RoundHalvesConstants {
  readonly count: number
}

export interface RoundHalvesBuffers {
  /** f32 [count] */
  readonly x: GPUBuffer
  /** Output, f16 in pairs, u32 [ceil(count / 2)]: element 2i in the low half of word i. */
  readonly y: GPUBuffer
}

const MAX_WORKGROUPS = 4096

/**
 * Compiles the rounding of `count` f32 to f16, to the nearest, ties to even; beyond f16's range the result is +-65504.
 * An odd end has zero in the high half of its word.
 * @throws `option.kernel-argument` where count is no positive integer
 */
export async function compileRoundHalves(
  gpu: Gpu,
  { count }: RoundHalvesConstants,
): Promise<Kernel<RoundHalvesBuffers>> {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw kernelArgument('round-halves', `a count of ${count}`)
  }
  const workgroupSize = gpu.workgroupSize(256)
  const workgroups = Math.min(MAX_WORKGROUPS, Math.ceil(count / 2 / workgroupSize))
  const pipeline = await gpu.compile('round-halves', [halfSource, source], {
    u32: { COUNT: count, WORKGROUPS: workgroups, WORKGROUP_SIZE: workgroupSize },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, y }) => [x, y],
    () => [workgroups, 1, 1],
  )
}
