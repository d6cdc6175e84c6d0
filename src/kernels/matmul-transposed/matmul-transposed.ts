import type { TransposedConstants, TransposedProduct } from '../common/linear-transposed.js'
import { weightBindings, weightReader } from '../common/weight.js'
import type { Gpu } from '../gpu.js'
import source from './matmul-transposed.wgsl?raw'

/**
 * Compiles the product dx (+)= dy * w, the backward pass of a matrix product, in f32 on any adapter.
 * @param maxRows rows that dy and dx have room for
 * @throws KernelArgumentError where the columns do not divide into groups, or into eights
 */
export async function compileMatmulTransposed(
  gpu: Gpu,
  constants: TransposedConstants,
  maxRows: number,
): Promise<TransposedProduct> {
  const { format, inFeatures, outFeatures, outStride, outOffset, accumulate } = constants
  const reader = weightReader('matmul-transposed', format, inFeatures)
  const threadInputs = gpu.software ? 8 : 16
  const threadRows = gpu.workgroupSize(256) / threadInputs
  const pipeline = await gpu.compile('matmul-transposed', [reader.source, source], {
    u32: {
      ...reader.u32,
      OUT: outFeatures,
      OUT_STRIDE: outStride,
      OUT_OFFSET: outOffset,
      MAX_ROWS: maxRows,
      // Software adapters unroll the loop over the depth, and compile for seconds where it is deep.
      TILE_DEPTH: gpu.software ? 8 : 32,
      THREAD_ROWS: threadRows,
      THREAD_INPUTS: threadInputs,
    },
    bool: { ACCUMULATE: accumulate },
  })
  const tilesOfInputs = Math.ceil(inFeatures / (4 * threadInputs))
  return {
    scratchBytes: 0,
    bind: (label, buffers) => [
      {
        label,
        pipeline,
        bindGroup: gpu.bind(pipeline, label, [...weightBindings(buffers), buffers.dy, buffers.dx]),
        workgroups: (rows) => [tilesOfInputs, Math.ceil(rows / (4 * threadRows)), 1],
      },
    ],
  }
}
