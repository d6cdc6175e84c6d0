import { type LinearBuffers, type LinearConstants, linearSpecialization } from '../common/linear.js'
import { weightBindings, weightReader } from '../common/weight.js'
import type { Dispatch } from '../dispatch.js'
import type { Gpu } from '../gpu.js'
import source from './matmul.wgsl?raw'

/**
 * Compiles the matrix product y (+)= x * w^T (+ bias) for many rows.
 * @param maxRows rows that x and y have room for
 * @param element what both factors are rounded to in workgroup memory, by default f16 where the GPU has it
 */
export async function compileMatmul(
  gpu: Gpu,
  constants: LinearConstants,
  maxRows: number,
  element: 'f16' | 'f32' = gpu.f16 ? 'f16' : 'f32',
): Promise<(label: string, buffers: LinearBuffers) => Dispatch> {
  const reader = weightReader('matmul', constants.format, constants.inFeatures)
  const threadOutputs = gpu.software ? 8 : 16
  const threadRows = gpu.workgroupSize(256) / threadOutputs
  // Software adapters unroll the loop over the depth, and compile for seconds where it is deep.
  const tileDepth = gpu.software ? 8 : 32
  const { u32, bool } = linearSpecialization(constants)
  const pipeline = await gpu.compile('matmul', [reader.source, source], {
    enable: element === 'f16' ? ['f16'] : [],
    u32: {
      ...reader.u32,
      ...u32,
      MAX_ROWS: maxRows,
      TILE_DEPTH: tileDepth,
      THREAD_ROWS: threadRows,
      THREAD_OUTPUTS: threadOutputs,
    },
    bool,
    alias: { Element: element },
  })
  const tilesOfOutputs = Math.ceil(constants.outFeatures / (4 * threadOutputs))
  return (label, buffers) => ({
    label,
    pipeline,
    bindGroup: gpu.bind(pipeline, label, [
      ...weightBindings(buffers),
      buffers.x,
      buffers.bias ?? gpu.empty,
      buffers.y,
    ]),
    workgroups: (rows) => [tilesOfOutputs, Math.ceil(rows / (4 * threadRows)), 1],
  })
}
