import type { Dispatch, Gpu } from '../../../gpu/index.js'
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
): Promise<(label: string, buffers: EmbeddingBuffers) => Dispatch> {
  const reader = weightReader('embedding', format, width)
  const pipeline = await gpu.compile('embedding', [reader.source, source], {
    u32: { ...reader.u32, OUT: tokens, FIRST_TOKEN: firstToken, WORKGROUP_SIZE: gpu.workgroupSize(128) },
  })
  return (label, buffers) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [...weightBindings(buffers), buffers.rows, buffers.y]),
    workgroups: (rows) => [rows, 1, 1],
  })
}
