import type { BufferRange, Gpu, Workgroups } from '../../../gpu/index.js'
import type { Kernel } from '../../common/kernel.js'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import {
  type TileOutput,
  type TileOutputBuffers,
  tileBindings,
  tileSources,
  tileSpecialization,
  WEIGHT_UNIT,
} from '../../common/tile-output.js'
import type { WeightBuffers } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import addPartsSource from './add-parts.wgsl?raw'
import endSource from './end.wgsl?raw'
import fewRowsSource from './few-rows.wgsl?raw'
import source from './linear-halves.wgsl?raw'
import manyRowsSource from './many-rows.wgsl?raw'
import multiplyFewSource from './multiply-few.wgsl?raw'
import multiplyManySource from './multiply-many.wgsl?raw'
import splitSource from './split.wgsl?raw'
import stepSource from './step.wgsl?raw'
import { type HalvesTiling, halvesTiling, MOST_SPLITS, splitsOf, TILE_OUTPUTS } from './tiling.js'
import wholeSource from './whole.wgsl?raw'

export interface LinearHalvesConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly output: TileOutput
  /** Rows that the buffers have room for; those of f16 have room for whole tiles of 16. */
  readonly maxRows: number
  /** Bytes that there are for the sums of workgroups that share a product of few tiles. */
  readonly partsBytes: number
}

export interface LinearHalvesBuffers {
  /** In the q4 format. */
  readonly weight: WeightBuffers
  /** f16 [rows, inFeatures], in the tiles of common/half-tiles.wgsl; what pads a row must be zero. */
  readonly x: GPUBuffer
  readonly output: TileOutputBuffers
  /** Scratch of `partsBytes`. */
  readonly parts: GPUBuffer
}

/** Workgroup memory of the largest tiling: tiles of 128 lines of 64 halves, padded by 16 bytes. */
const MOST_BYTES = (TILE_OUTPUTS + 128) * (128 + 16)
/** Rows of a workgroup of add-parts.wgsl. */
const PART_ROWS = 4
/** Bindings of inputs, and of outputs, before that of the parts. */
const INPUTS = 4
const OUTPUTS = 4
/** Steps of a span of 256 inputs, and products of a step. */
const STEPS = 4

/** Whether a device has the matrices and the workgroup memory that the products need. */
export function canRunLinearHalves(gpu: Gpu): boolean {
  return hasSubgroupMatrices(gpu) && MOST_BYTES <= gpu.limits.maxComputeWorkgroupStorageSize
}

/** Text that is repeated with a constant that counts, because WGSL cannot unroll a loop. */
function repeated(name: string, step: number, text: string): string {
  const blocks = Array.from({ length: STEPS }, (_, i) => `{ const ${name} = ${i * step}u;\n${text}}`)
  return blocks.join('\n')
}

function sources(output: TileOutput, { rows }: HalvesTiling, split: boolean): string[] {
  const [layout, multiply] =
    rows === 128 ? [manyRowsSource, multiplyManySource] : [fewRowsSource, multiplyFewSource]
  const step = `${stepSource}\n${repeated('K', 2, multiply)}\nworkgroupBarrier();\n`
  const main = [source, repeated('J', 1, step), endSource]
  return [...tileSources(output), layout, split ? splitSource : wholeSource, ...main]
}

/**
 * Compiles the matrix product of activations in f16 with a 4-bit weight on subgroup matrices, fused with what comes after it:
 * bias, residual add, bias and RoPE, or SwiGLU. The inputs of products with few tiles are split among workgroups, and
 * their sums added by a second dispatch.
 * @throws `option.kernel-argument` for sizes that do not divide into units and octets
 */
export async function compileLinearHalves(
  gpu: Gpu,
  constants: LinearHalvesConstants,
): Promise<Kernel<LinearHalvesBuffers>> {
  const { groupSize, inFeatures, outFeatures, output, maxRows, partsBytes } = constants
  const outputs = output.kind === 'swiglu' ? 2 * 16 : 8
  if (inFeatures % groupSize !== 0 || groupSize % WEIGHT_UNIT !== 0 || outFeatures % outputs !== 0) {
    throw kernelArgument('linear-halves', `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`)
  }
  const tiling = halvesTiling(maxRows)
  const outputTiles = Math.ceil(outFeatures / TILE_OUTPUTS)
  const mostParts = Math.floor(partsBytes / (tiling.rows * TILE_OUTPUTS * 4))
  // By the tiles of rows: looked up whenever a step is encoded.
  const splits = Array.from({ length: Math.ceil(maxRows / tiling.rows) }, (_, tiles) =>
    splitsOf(tiling, (tiles + 1) * outputTiles, mostParts),
  )
  const layout = (rows: number) => {
    const rowTiles = Math.ceil(rows / tiling.rows)
    return { rowTiles, splits: splits[rowTiles - 1] }
  }
  const mayBeSplit = splits.some((count) => count > 1)
  const { u32, bool } = tileSpecialization(output)
  const sizes = { IN: inFeatures, OUT: outFeatures, GROUP_SIZE: groupSize, MAX_ROWS: maxRows }
  const specialization = { u32: { ...sizes, ...u32 }, ...(bool && { bool }) }
  const [multiply, add] = await Promise.all([
    gpu.compile('linear-halves', sources(output, tiling, mayBeSplit), {
      ...specialization,
      enable: MATRIX_EXTENSIONS,
      u32: { ...specialization.u32, ROWS_AT_ONCE: tiling.rows },
    }),
    mayBeSplit &&
      gpu.compile('linear-halves, parts', [...tileSources(output), addPartsSource], {
        ...specialization,
        enable: ['f16'],
        u32: { ...specialization.u32, MOST_SPLITS },
      }),
  ])
  return {
    bind: (label, { weight, x, output, parts }) => {
      const targets = tileBindings(gpu, output)
      const unused = (count: number) => new Array<undefined>(count).fill(undefined)
      const bind = (pipeline: GPUComputePipeline, inputs: readonly (BufferRange | undefined)[]) =>
        gpu.bind(pipeline, label, [
          ...inputs,
          ...targets,
          ...unused(OUTPUTS - targets.length),
          mayBeSplit ? parts : undefined,
        ])
      const product = {
        label,
        pipeline: multiply,
        bindGroup: bind(multiply, [weight.weight, weight.scales, weight.biases, x]),
        workgroups: (rows: number): Workgroups => {
          const { rowTiles, splits } = layout(rows)
          return [rowTiles, outputTiles, splits]
        },
      }
      if (!add) return [product]
      const sum = {
        label: `${label}, parts`,
        pipeline: add,
        bindGroup: bind(add, unused(INPUTS)),
        workgroups: (rows: number): Workgroups => {
          const { splits } = layout(rows)
          return splits === 1 ? [0, 0, 0] : [outputTiles, Math.ceil(rows / (PART_ROWS * splits)), splits]
        },
      }
      return [product, sum]
    },
  }
}
