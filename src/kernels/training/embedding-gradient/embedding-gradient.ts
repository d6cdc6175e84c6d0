import type { BufferRange, Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { kernelArgument } from '../../errors.js'
import source from './embedding-gradient.wgsl?raw'

export interface EmbeddingGradientConstants {
  /** Elements in a row of the table. */
  readonly width: number
}

export interface EmbeddingGradientBuffers {
  /** Gradient of the embedded rows, f32 [any, width]. */
  readonly dx: BufferRange
  /** From `embeddingGroups`, u32 [rows]: row numbers, those of a token side by side. */
  readonly order: BufferRange
  /** From `embeddingGroups`, u32 [distinct, 3]: token, its first place in order, its count. */
  readonly groups: BufferRange
  /** f32 [1]: what the gradient is multiplied by before it is added. */
  readonly scale: GPUBuffer
  /** Gradient of the table, f32 [tokens, width], added to. */
  readonly dw: GPUBuffer
}

/**
 * Compiles the gradient of an embedding table: each token's rows of dx are added to its row of dw.
 * The number of rows that the dispatch is asked for is that of distinct tokens. The order of additions is always the
 * same.
 * @throws `option.kernel-argument` where the width is no positive integer
 */
export async function compileEmbeddingGradient(
  gpu: Gpu,
  { width }: EmbeddingGradientConstants,
): Promise<Kernel<EmbeddingGradientBuffers>> {
  if (!Number.isSafeInteger(width) || width < 1) {
    throw kernelArgument('embedding-gradient', `rows of ${width}`)
  }
  const workgroupSize = gpu.workgroupSize(256)
  const pipeline = await gpu.compile('embedding-gradient', [source], {
    u32: { WIDTH: width, WORKGROUP_SIZE: workgroupSize },
  })
  const columns = Math.ceil(width / workgroupSize)
  return dispatchKernel(
    gpu,
    pipeline,
    ({ dx, order, groups, scale, dw }) => [dx, order, groups, scale, dw],
    (distinct) => [distinct, columns, 1],
  )
}
