import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type LinearBuffers,
  type LinearConstants,
  linearBindings,
  linearSpecialization,
} from '../../common/linear.js'
import { weightReader } from '../../common/weight.js'
import fourRowsPlainSource from './four-rows-plain.wgsl?raw'
import fourRowsSubgroupSource from './four-rows-subgroup.wgsl?raw'
import source from './matmul.wgsl?raw'
import outputSource from './output.wgsl?raw'
import wholeRowsSource from './whole-rows.wgsl?raw'

/** Which kernel computes the product, and the tile of a workgroup. */
interface Layout {
  readonly sources: readonly string[]
  readonly enable?: readonly string[]
  readonly rows: number
  readonly outputs: number
  /** What only this kernel is compiled for. */
  readonly u32: Readonly<Record<string, number>>
}

/** Tiles in workgroup memory, 4 x 4 outputs to an invocation. */
function tiled(gpu: Gpu): Layout {
  const THREAD_OUTPUTS = gpu.software ? 8 : 16
  const THREAD_ROWS = gpu.workgroupSize(256) / THREAD_OUTPUTS
  // Software adapters unroll the loop over the depth, and compile for seconds where it is deep.
  const u32 = { TILE_DEPTH: gpu.software ? 8 : 32, THREAD_ROWS, THREAD_OUTPUTS }
  return { sources: [source], rows: 4 * THREAD_ROWS, outputs: 4 * THREAD_OUTPUTS, u32 }
}

/** An output of eight rows to an invocation. */
function wholeRows(gpu: Gpu): Layout {
  const WORKGROUP_SIZE = gpu.workgroupSize(64)
  const shared = gpu.subgroups && gpu.info.subgroupMinSize >= 4
  return {
    sources: [shared ? fourRowsSubgroupSource : fourRowsPlainSource, wholeRowsSource],
    ...(shared && { enable: ['subgroups'] }),
    rows: 8,
    outputs: WORKGROUP_SIZE,
    u32: { WORKGROUP_SIZE },
  }
}

/** How a product for many rows is computed. */
export interface MatmulOptions {
  /** What both factors are rounded to in workgroup memory; f16 only where the GPU has it. */
  readonly element: 'f16' | 'f32'
  /** Whether every invocation computes its outputs alone, in f32, without tiles: fast on software adapters. */
  readonly alone: boolean
}

/**
 * Compiles the matrix product y (+)= x * w^T (+ bias) for many rows.
 * @throws `option.kernel-argument` where the columns do not divide into groups
 */
export async function compileMatmul(
  gpu: Gpu,
  constants: LinearConstants,
  { element, alone }: MatmulOptions,
): Promise<Kernel<LinearBuffers>> {
  const reader = weightReader('matmul', constants.format, constants.inFeatures)
  const layout = alone ? wholeRows(gpu) : tiled(gpu)
  const { u32, bool } = linearSpecialization(constants)
  const pipeline = await gpu.compile('matmul', [reader.source, outputSource, ...layout.sources], {
    enable: [...(element === 'f16' ? ['f16'] : []), ...(layout.enable ?? [])],
    u32: { ...reader.u32, ...u32, ...layout.u32, MAX_ROWS: constants.maxRows },
    bool,
    alias: { Element: element },
  })
  const tilesOfOutputs = Math.ceil(constants.outFeatures / layout.outputs)
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => linearBindings(gpu, buffers),
    (rows) => [tilesOfOutputs, Math.ceil(rows / layout.rows), 1],
  )
}
