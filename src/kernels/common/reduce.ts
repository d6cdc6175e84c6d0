import type { Gpu, Specialization } from '../../gpu/index.js'
import lanesSingleSource from './lanes-single.wgsl?raw'
import lanesSubgroupSource from './lanes-subgroup.wgsl?raw'
import lanesWorkgroupSource from './lanes-workgroup.wgsl?raw'
import subgroupSource from './reduce-subgroup.wgsl?raw'
import workgroupSource from './reduce-workgroup.wgsl?raw'

/** A WGSL module that defines a sum over invocations, and what its prelude needs. */
export interface Reduction {
  readonly source: string
  readonly enable: readonly string[]
  readonly u32: NonNullable<Specialization['u32']>
}

/**
 * `reduce_sum`, the workgroup sum for this GPU: over subgroups where it has them, else by a tree in workgroup memory.
 * @param workgroupSize a power of two
 */
export function workgroupReduction(gpu: Gpu, workgroupSize: number): Reduction {
  const u32 = { WORKGROUP_SIZE: workgroupSize }
  if (!gpu.subgroups) return { source: workgroupSource, enable: [], u32 }
  const SUBGROUP_MIN_SIZE = Math.min(gpu.info.subgroupMinSize, workgroupSize)
  return { source: subgroupSource, enable: ['subgroups'], u32: { ...u32, SUBGROUP_MIN_SIZE } }
}

/** Invocations that share a row where subgroups cannot tell. */
const DEFAULT_LANES = 32
/** The most that do: rows of a cache page, which the tiles of attention must not cross. */
const MAX_LANES = 64

/**
 * `sum_lanes` and `max_lanes` over LANES consecutive invocations of a workgroup: by subgroups where their size is
 * known, else in workgroup memory.
 */
export function laneReduction(gpu: Gpu, workgroupSize: number): Reduction {
  const { subgroupMinSize, subgroupMaxSize } = gpu.info
  const useSubgroups =
    gpu.subgroups &&
    subgroupMinSize === subgroupMaxSize &&
    subgroupMinSize <= Math.min(MAX_LANES, workgroupSize)
  const LANES = useSubgroups ? subgroupMinSize : Math.min(DEFAULT_LANES, workgroupSize)
  const u32 = { WORKGROUP_SIZE: workgroupSize, LANES }
  return useSubgroups
    ? { source: lanesSubgroupSource, enable: ['subgroups'], u32 }
    : { source: lanesWorkgroupSource, enable: [], u32 }
}

/** The same over single invocations, for kernels in which each works alone. */
export function singleLanes(workgroupSize: number): Reduction {
  return { source: lanesSingleSource, enable: [], u32: { WORKGROUP_SIZE: workgroupSize, LANES: 1 } }
}
