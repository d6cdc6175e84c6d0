import { flatWorkgroups, type Gpu } from '../../../gpu/index.js'
import { HALF_TILE } from '../../common/half-tiles.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { type LinearOutput, outputSpecialization } from '../../common/linear-output.js'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import { type TileOutputBuffers, tileBindings, tileSources, WEIGHT_UNIT } from '../../common/tile-output.js'
import type { WeightBuffers } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import source from './linear-step-matrices.wgsl?raw'
import { stepTileBytes, stepTiling } from './tiling.js'

export interface LinearStepMatricesConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly output: LinearOutput
  /** Rows that the buffers have room for; those of f16 have room for whole tiles of 16. */
  readonly maxRows: number
}

export interface LinearStepMatricesBuffers {
  /** In the q4 format. */
  readonly weight: WeightBuffers
  /** f16 [rows, inFeatures], in the tiles of common/half-tiles.wgsl. */
  readonly x: GPUBuffer
  readonly output: TileOutputBuffers
}

/** What the largest tiling takes of workgroup memory. */
const MOST_BYTES = Math.max(...[16, 32, 64].map((rows) => stepTileBytes(stepTiling(rows, 1))))

/** Whether a device has the matrices and the workgroup memory that products of steps need. */
export function canRunLinearStepMatrices(gpu: Gpu): boolean {
  return hasSubgroupMatrices(gpu) && MOST_BYTES <= gpu.limits.maxComputeWorkgroupStorageSize
}

/**
 * Compiles the matrix product of a step of a few rows on subgroup matrices, with 4-bit weights and activations in f16,
 * fused with what comes after it: residual add, bias and RoPE, or SwiGLU.
 * @throws `option.kernel-argument` for sizes that do not divide into units and octets
 */
export async function compileLinearStepMatrices(
  gpu: Gpu,
  constants: LinearStepMatricesConstants,
): Promise<Kernel<LinearStepMatricesBuffers>> {
  const { groupSize, inFeatures, outFeatures, output, maxRows } = constants
  const { rowMatrices, rowSubgroups, slices } = stepTiling(maxRows, outFeatures)
  const isSwiglu = output.kind === 'swiglu'
  if (
    inFeatures % groupSize !== 0 ||
    groupSize % WEIGHT_UNIT !== 0 ||
    outFeatures % (isSwiglu ? 2 * HALF_TILE : 8) !== 0
  ) {
    throw kernelArgument('linear-step-matrices', `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`)
  }
  const { u32, bool } = outputSpecialization(output)
  const pipeline = await gpu.compile('linear-step-matrices', [...tileSources(output), source], {
    enable: MATRIX_EXTENSIONS,
    u32: {
      IN: inFeatures,
      OUT: outFeatures,
      GROUP_SIZE: groupSize,
      ROW_MATRICES: rowMatrices,
      ROW_SUBGROUPS: rowSubgroups,
      SLICES: slices,
      MAX_ROWS: maxRows,
      ...u32,
    },
    ...(bool && { bool }),
  })
  const [x, y] = flatWorkgroups(Math.ceil(outFeatures / HALF_TILE))
  const tileRows = HALF_TILE * rowMatrices * rowSubgroups
  return dispatchKernel(
    gpu,
    pipeline,
    ({ weight, x, output }) => [weight.weight, weight.scales, weight.biases, x, ...tileBindings(output)],
    () => [x, y, Math.ceil(maxRows / tileRows)],
  )
}
