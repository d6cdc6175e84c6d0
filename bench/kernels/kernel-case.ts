import type { ComputeUnit } from '../ceilings/units.js'
import type { Dispatch, Gpu } from '../common/internals.js'
import type { Workshop } from './workshop.js'

/** A kernel ready to be timed. */
export interface PreparedKernel {
  /**
   * The dispatches of one call, for each of several sets of buffers: calls go round them, so that no call finds its
   * weights in the cache of the card.
   */
  readonly sets: readonly (readonly Dispatch[])[]
  /** Rows given to `Dispatch.workgroups`. */
  readonly rows: number
  /** Makes the buffers ready for a call of the first set whose output is then checked. */
  poison?(): void
  /** The largest difference of that call from the float64 reference, relative to the reference's largest value. */
  error(): Promise<number>
}

/** One kernel, in one variant, at one shape. */
export interface KernelCase {
  readonly kernel: string
  readonly variant: string
  readonly shape: string
  /** The fewest bytes that a call has to move: every input read once, every output written once. */
  readonly bytes: number
  readonly operations: number
  /** What its arithmetic runs on. */
  readonly unit: ComputeUnit
  /** The largest `error` to accept. */
  readonly tolerance: number
  prepare(workshop: Workshop): Promise<PreparedKernel>
}

/** The shapes that a family of cases is made for. */
export interface CaseShapes {
  readonly hidden: number
  readonly ffn: number
  readonly heads: number
  readonly kvGroups: number
  readonly headDim: number
  readonly vocabulary: number
  /** Rows of a prefill chunk. */
  readonly chunks: readonly number[]
  /** Cache rows that attention sees. */
  readonly contexts: readonly number[]
  readonly groupSize: number
}

/** Makes the cases of a kernel that a device can run. */
export type KernelFamily = (gpu: Gpu, shapes: CaseShapes) => KernelCase[]
