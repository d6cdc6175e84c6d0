import { flatWorkgroups, type Gpu, type Workgroups } from '../../../gpu/index.js'
import { dispatchKernel, type ScratchKernel } from '../../common/kernel.js'
import type { TransposedBuffers, TransposedConstants } from '../../common/linear-transposed.js'
import { weightBindings, weightReader } from '../../common/weight.js'
import source from './matmul-transposed.wgsl?raw'
import wholeRowsSource from './whole-rows.wgsl?raw'

/** Which kernel computes the product, and what it is compiled for. */
interface Layout {
  readonly source: string
  readonly u32: Readonly<Record<string, number>>
  workgroups(rows: number): Workgroups
}

/** Tiles in workgroup memory, 4 x 4 inputs to an invocation. */
function tiled(gpu: Gpu, inFeatures: number): Layout {
  const THREAD_INPUTS = gpu.software ? 8 : 16
  const THREAD_ROWS = gpu.workgroupSize(256) / THREAD_INPUTS
  const tilesOfInputs = Math.ceil(inFeatures / (4 * THREAD_INPUTS))
  return {
    source,
    // Software adapters unroll the loop over the depth, and compile for seconds where it is deep.
    u32: { TILE_DEPTH: gpu.software ? 8 : 32, THREAD_ROWS, THREAD_INPUTS },
    workgroups: (rows) => [tilesOfInputs, Math.ceil(rows / (4 * THREAD_ROWS)), 1],
  }
}

/** Eight inputs of four rows to an invocation. */
function wholeRows(gpu: Gpu, inFeatures: number): Layout {
  const WORKGROUP_SIZE = gpu.workgroupSize(64)
  return {
    source: wholeRowsSource,
    u32: { WORKGROUP_SIZE },
    workgroups: (rows) =>
      flatWorkgroups(Math.ceil(((inFeatures / 8) * Math.ceil(rows / 4)) / WORKGROUP_SIZE)),
  }
}

/** How the product is computed. */
export interface MatmulTransposedOptions {
  /** Whether every invocation computes its inputs alone, without tiles: fast on software adapters. */
  readonly alone: boolean
}

/**
 * Compiles the product dx (+)= dy * w, the backward pass of a matrix product, in f32 on any adapter.
 * @throws `option.kernel-argument` where the columns do not divide into groups, or into eights
 */
export async function compileMatmulTransposed(
  gpu: Gpu,
  constants: TransposedConstants,
  { alone }: MatmulTransposedOptions,
): Promise<ScratchKernel<TransposedBuffers>> {
  const { format, inFeatures, outFeatures, outStride, outOffset, accumulate, maxRows } = constants
  const reader = weightReader('matmul-transposed', format, inFeatures)
  const layout = (alone ? wholeRows : tiled)(gpu, inFeatures)
  const pipeline = await gpu.compile('matmul-transposed', [reader.source, layout.source], {
    u32: {
      ...reader.u32,
      ...layout.u32,
      OUT: outFeatures,
      OUT_STRIDE: outStride,
      OUT_OFFSET: outOffset,
      MAX_ROWS: maxRows,
    },
    bool: { ACCUMULATE: accumulate },
  })
  const bindings = (buffers: TransposedBuffers) => [...weightBindings(buffers), buffers.dy, buffers.dx]
  return { scratchBytes: 0, ...dispatchKernel(gpu, pipeline, bindings, layout.workgroups) }
}
