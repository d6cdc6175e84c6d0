import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { type WeightBuffers, type WeightFormat, weightBindings, weightReader } from '../../common/weight.js'
import source from './embedding.wgsl?raw'

export interface EmbeddingConstants {
  readonly format: WeightFormat
  /** Elements in a row of the table. */
  readonly width: number
  /** Rows of this table, or of this slice of it. */
  readonly tokens: number
  /** The token of the slice's first row. */
  readonly firstToken: number
}

export interface EmbeddingBuffers extends WeightBuffers {
  /** vec4<u32> [rows]: (token, slot, position, prefix length). */
  readonly rows: GPUBuffer
  /** Output, f32 [rows, width]. */
  readonly y: GPUBuffer
}

/** Compiles the embedding: row r of y becomes the table's row of token r. */
export async function compileEmbedding(
  gpu: Gpu,
  { format, width, tokens, firstToken }: EmbeddingConstants,
): Promise<Kernel<EmbeddingBuffers>> {
  const reader = weightReader('embedding', format, width)
  const pipeline = await gpu.compile('embedding', [reader.source, source], {
    u32: { ...reader.u32, OUT: tokens, FIRST_TOKEN: firstToken, WORKGROUP_SIZE: gpu.workgroupSize(128) },
  })
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => [...weightBindings(buffers), buffers.rows, buffers.y],
    (rows) => [rows, 1, 1],
  )
}
