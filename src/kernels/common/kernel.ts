import type { BufferRange, Dispatch, Gpu, Workgroups } from '../../gpu/index.js'

/**
 * An operation that was compiled for a device and its constants. Every `compile<Op>(gpu, constants, options)` gives one:
 * constants are the sizes that the operation is about, options choose between the ways to compute it.
 */
export interface Kernel<Buffers> {
  /** The dispatches of one run over these buffers, in order; they can be encoded any number of times. */
  bind(label: string, buffers: Buffers): Dispatch[]
}

/** A kernel of several dispatches that leave something for each other in a buffer `scratch`. */
export interface ScratchKernel<Buffers> extends Kernel<Buffers> {
  /** Bytes of scratch, 0 where none is needed. What is in it does not matter: runs one after the other can share it. */
  readonly scratchBytes: number
}

/**
 * A kernel of a single dispatch.
 * @param bindings the buffers of bindings 0, 1, 2, ...; undefined leaves a binding out
 * @param workgroups of a run over so many rows
 */
export function dispatchKernel<Buffers>(
  gpu: Gpu,
  pipeline: GPUComputePipeline,
  bindings: (buffers: Buffers) => readonly (BufferRange | undefined)[],
  workgroups: (rows: number) => Workgroups,
): Kernel<Buffers> {
  return {
    bind: (label, buffers) => [
      { label, pipeline, bindGroup: gpu.bind(pipeline, label, bindings(buffers)), workgroups },
    ],
  }
}
