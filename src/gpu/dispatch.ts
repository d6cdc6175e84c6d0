/** Workgroup counts in x, y and z. */
export type Workgroups = readonly [number, number, number]

/**
 * One kernel launch, ready to be encoded: built once, encoded many times.
 *
 * `workgroups` is asked for the number of rows (tokens) of this run, because a prefill chunk may be shorter
 * than the buffers it is bound to; kernels that do not work on rows ignore the argument. Where there is nothing to do for so
 * many rows, there are none.
 */
export interface Dispatch {
  readonly label: string
  readonly pipeline: GPUComputePipeline
  readonly bindGroup: GPUBindGroup
  workgroups(rows: number): Workgroups
}

/** The WebGPU limit on workgroups in one dimension, the same on every adapter. */
const MAX_WORKGROUPS_PER_DIMENSION = 65_535

/**
 * Lays `count` workgroups out in x and y where x alone would exceed the limit of 65,535.
 * The kernel recovers the flat index as `workgroup_id.y * num_workgroups.x + workgroup_id.x`
 * and must check it against the end, because the last line may be partly empty.
 */
export function flatWorkgroups(count: number): Workgroups {
  if (count <= MAX_WORKGROUPS_PER_DIMENSION) return [count, 1, 1]
  const lines = Math.ceil(count / MAX_WORKGROUPS_PER_DIMENSION)
  return [Math.ceil(count / lines), lines, 1]
}

/** Encodes dispatches for `rows` rows into an open pass, in order. */
export function encodeDispatches(
  pass: GPUComputePassEncoder,
  dispatches: readonly Dispatch[],
  rows: number,
): void {
  for (const dispatch of dispatches) {
    const [x, y, z] = dispatch.workgroups(rows)
    if (x === 0) continue
    pass.setPipeline(dispatch.pipeline)
    pass.setBindGroup(0, dispatch.bindGroup)
    pass.dispatchWorkgroups(x, y, z)
  }
}
