import type { Gpu } from '../gpu.js'
import type { Specialization } from '../wgsl.js'
import subgroupSource from './reduce-subgroup.wgsl?raw'
import workgroupSource from './reduce-workgroup.wgsl?raw'

/** A WGSL module that defines `reduce_sum`, and what its prelude needs. */
export interface Reduction {
  readonly source: string
  readonly enable: readonly string[]
  readonly u32: Specialization['u32']
}

/**
 * The workgroup sum for this GPU: over subgroups where it has them, else by a tree in workgroup memory.
 * @param workgroupSize a power of two
 */
export function workgroupReduction(gpu: Gpu, workgroupSize: number): Reduction {
  const u32 = { WORKGROUP_SIZE: workgroupSize }
  if (!gpu.subgroups) return { source: workgroupSource, enable: [], u32 }
  const SUBGROUP_MIN_SIZE = Math.min(gpu.info.subgroupMinSize, workgroupSize)
  return { source: subgroupSource, enable: ['subgroups'], u32: { ...u32, SUBGROUP_MIN_SIZE } }
}
