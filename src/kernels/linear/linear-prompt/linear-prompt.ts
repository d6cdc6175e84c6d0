import type { Gpu } from '../../../gpu/index.js'
import type { Kernel } from '../../common/kernel.js'
import { type LinearOutput, outputSpecialization } from '../../common/linear-output.js'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import { type TileOutputBuffers, tileBindings, tileSources, WEIGHT_UNIT } from '../../common/tile-output.js'
import type { WeightBuffers } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import addPartsSource from './add-parts.wgsl?raw'
import endSource from './end.wgsl?raw'
import source from './linear-prompt.wgsl?raw'
import splitSource from './split.wgsl?raw'
import { PART_ROWS, splitsOf, TILE } from './splits.js'
import stepSource from './step.wgsl?raw'
import wholeSource from './whole.wgsl?raw'

export interface LinearPromptConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly output: LinearOutput
  /** Rows that the buffers have room for; those of f16 have room for whole tiles of 16. */
  readonly maxRows: number
  /** Bytes that there are for the sums of workgroups that share a product of few rows. */
  readonly partsBytes: number
}

export interface LinearPromptBuffers {
  /** In the q4 format. */
  readonly weight: WeightBuffers
  /** f16 [rows, inFeatures], in the tiles of common/half-tiles.wgsl; what pads a row may be anything. */
  readonly x: GPUBuffer
  readonly output: TileOutputBuffers
  /** Scratch of `partsBytes`. */
  readonly parts: GPUBuffer
}

/** Workgroup memory: two tiles of 128 lines of 64 halves, padded by 16 bytes. */
const BYTES = 2 * TILE * (128 + 16)
/** The bindings of the output. */
const FIRST_OUTPUT = 4
const LAST_OUTPUT = 7
/** Steps of a span of 256 inputs. */
const STEPS = 4

/** Whether a device has the matrices and the workgroup memory that products of prompts need. */
export function canRunLinearPrompt(gpu: Gpu): boolean {
  return hasSubgroupMatrices(gpu) && BYTES <= gpu.limits.maxComputeWorkgroupStorageSize
}

/** The text of the kernel: the step of a span is repeated, because WGSL cannot unroll a loop. */
function promptSources(output: LinearOutput, split: boolean): string[] {
  const steps = Array.from({ length: STEPS }, (_, step) => `{ const J = ${step}u;\n${stepSource}}`)
  return [...tileSources(output), source, ...steps, endSource, split ? splitSource : wholeSource]
}

/**
 * Compiles the matrix product of a chunk of a prompt on subgroup matrices, with 4-bit weights and activations in f16, fused
 * with what comes after it: residual add, bias and RoPE, or SwiGLU. The inputs of products with few tiles are split
 * among workgroups, and their sums added by a second dispatch.
 * @throws `option.kernel-argument` for sizes that do not divide into units and octets
 */
export async function compileLinearPrompt(
  gpu: Gpu,
  constants: LinearPromptConstants,
): Promise<Kernel<LinearPromptBuffers>> {
  const { groupSize, inFeatures, outFeatures, output, maxRows, partsBytes } = constants
  const outputs = output.kind === 'swiglu' ? 2 * 16 : 8
  if (inFeatures % groupSize !== 0 || groupSize % WEIGHT_UNIT !== 0 || outFeatures % outputs !== 0) {
    throw kernelArgument('linear-prompt', `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`)
  }
  const outputTiles = Math.ceil(outFeatures / TILE)
  const mostParts = Math.floor(partsBytes / (TILE * TILE * 4))
  const layout = (rows: number) => {
    const rowTiles = Math.ceil(rows / TILE)
    return { rowTiles, splits: splitsOf(rowTiles * outputTiles, mostParts) }
  }
  const counts = Array.from({ length: Math.ceil(maxRows / TILE) }, (_, tiles) => (tiles + 1) * TILE)
  const mayBeSplit = counts.some((rows) => layout(rows).splits > 1)
  const { u32, bool } = outputSpecialization(output)
  const sizes = { IN: inFeatures, OUT: outFeatures, GROUP_SIZE: groupSize, MAX_ROWS: maxRows }
  const specialization = { u32: { ...sizes, ...u32 }, ...(bool && { bool }) }
  const [multiply, add] = await Promise.all([
    gpu.compile('linear-prompt', promptSources(output, mayBeSplit), {
      enable: MATRIX_EXTENSIONS,
      ...specialization,
    }),
    mayBeSplit &&
      gpu.compile('linear-prompt, parts', [...tileSources(output), addPartsSource], {
        enable: ['f16'],
        ...specialization,
      }),
  ])
  return {
    bind: (label, { weight, x, output, parts }) => {
      const targets = tileBindings(output)
      const none = new Array<undefined>(LAST_OUTPUT - FIRST_OUTPUT + 1 - targets.length).fill(undefined)
      const inputs = [weight.weight, weight.scales, weight.biases, x]
      const bind = (pipeline: GPUComputePipeline, inputs: readonly (GPUBuffer | undefined)[]) =>
        gpu.bind(pipeline, label, [...inputs, ...targets, ...none, mayBeSplit ? parts : undefined])
      const product = {
        label,
        pipeline: multiply,
        bindGroup: bind(multiply, inputs),
        workgroups: (rows: number) => {
          const { rowTiles, splits } = layout(rows)
          return [rowTiles, outputTiles, splits] as const
        },
      }
      if (!add) return [product]
      const sum = {
        label: `${label}, parts`,
        pipeline: add,
        bindGroup: bind(add, [undefined, undefined, undefined, undefined]),
        workgroups: (rows: number) => {
          const { splits } = layout(rows)
          if (splits === 1) return [0, 0, 0] as const
          return [outputTiles, Math.ceil(rows / (PART_ROWS * splits)), splits] as const
        },
      }
      return [product, sum]
    },
  }
}
