import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import source from './cross-entropy.wgsl?raw'

export interface CrossEntropyConstants {
  /** Logits in a row. */
  readonly vocabulary: number
}

export interface CrossEntropyBuffers {
  /** Logits, f32 [rows, vocabulary]; become the gradient of the sum of the losses. */
  readonly x: GPUBuffer
  /** u32 [rows], ids below `vocabulary`. */
  readonly targets: BufferRange
  /** Output, f32 [rows]: NaN where a logit is NaN or infinite. */
  readonly losses: BufferRange
}

/** Compiles the cross entropy of rows of logits, in nats, and its gradient, written over the logits. */
export async function compileCrossEntropy(
  gpu: Gpu,
  { vocabulary }: CrossEntropyConstants,
): Promise<Kernel<CrossEntropyBuffers>> {
  const pipeline = await gpu.compile('cross-entropy', [source], {
    u32: { VOCAB: vocabulary, WORKGROUP_SIZE: gpu.workgroupSize(256) },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    ({ x, targets, losses }) => [x, targets, losses],
    (rows) => [rows, 1, 1],
  )
}
