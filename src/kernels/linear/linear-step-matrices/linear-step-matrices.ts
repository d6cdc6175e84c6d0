import { flatWorkgroups, type Gpu, type Specialization } from '../../../gpu/index.js'
import { HALF_TILE } from '../../common/half-tiles.js'
import halfTilesSource from '../../common/half-tiles.wgsl?raw'
import type { HeadShape } from '../../common/heads.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import { hasSubgroupMatrices, MATRIX_EXTENSIONS } from '../../common/subgroup-matrices.js'
import turnFourSource from '../../common/turn-four.wgsl?raw'
import type { WeightBuffers } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import source from './linear-step-matrices.wgsl?raw'
import outputQkvSource from './output-qkv.wgsl?raw'
import outputStoreSource from './output-store.wgsl?raw'
import outputSwigluSource from './output-swiglu.wgsl?raw'
import { stepTileBytes, stepTiling } from './tiling.js'
import weightSource from './weight-q4.wgsl?raw'

export interface LinearStepMatricesConstants {
  readonly groupSize: number
  readonly inFeatures: number
  readonly outFeatures: number
  readonly output:
    | { readonly kind: 'store' | 'add' }
    | { readonly kind: 'swiglu' }
    | ({ readonly kind: 'qkv'; readonly hasBias: boolean } & HeadShape)
  /** Rows that the buffers have room for; those of f16 have room for whole tiles of 16. */
  readonly maxRows: number
}

export interface LinearStepMatricesBuffers {
  /** In the q4 format. */
  readonly weight: WeightBuffers
  /** f16 [rows, inFeatures], in the tiles of common/half-tiles.wgsl. */
  readonly x: GPUBuffer
  readonly output:
    | {
        /** f32 [rows, outFeatures] */
        readonly y: GPUBuffer
      }
    | {
        /** f16 [rows, outFeatures / 2], in the tiles of common/half-tiles.wgsl. */
        readonly halves: GPUBuffer
      }
    | {
        /** f16 [outFeatures] */
        readonly bias: GPUBuffer
        /** vec4<u32> [rows]: (token, slot, position, prefix length). */
        readonly rows: GPUBuffer
        /** From `ropeTable`. */
        readonly ropeTable: GPUBuffer
        /** f32 [rows, outFeatures] */
        readonly qkv: GPUBuffer
      }
}

const OUTPUT_SOURCES = {
  store: [outputStoreSource],
  add: [outputStoreSource],
  swiglu: [outputSwigluSource],
  qkv: [turnFourSource, outputQkvSource],
}

/** Elements of a unit of the weight; groups must not end within. */
const UNIT = 32

/** What the largest tiling takes of workgroup memory. */
const MOST_BYTES = Math.max(...[16, 32, 64].map((rows) => stepTileBytes(stepTiling(rows, 1))))

/** Whether a device has the matrices and the workgroup memory that products of steps need. */
export function canRunLinearStepMatrices(gpu: Gpu): boolean {
  return hasSubgroupMatrices(gpu) && MOST_BYTES <= gpu.limits.maxComputeWorkgroupStorageSize
}

function specialization({
  output,
  maxRows,
}: LinearStepMatricesConstants): Pick<Specialization, 'u32' | 'bool'> {
  switch (output.kind) {
    case 'swiglu':
      return { u32: { MAX_ROWS: maxRows } }
    case 'qkv': {
      const { heads, kvGroups, headDim, hasBias } = output
      const u32 = { MAX_ROWS: maxRows, HEADS: heads, KV_GROUPS: kvGroups, HEAD_DIM: headDim }
      return { u32, bool: { HAS_BIAS: hasBias } }
    }
    default:
      return { u32: { MAX_ROWS: maxRows }, bool: { ACCUMULATE: output.kind === 'add' } }
  }
}

function outputBindings(output: LinearStepMatricesBuffers['output']): GPUBuffer[] {
  if ('y' in output) return [output.y]
  if ('halves' in output) return [output.halves]
  return [output.bias, output.rows, output.ropeTable, output.qkv]
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
    groupSize % UNIT !== 0 ||
    outFeatures % (isSwiglu ? 2 * HALF_TILE : 8) !== 0
  ) {
    throw kernelArgument('linear-step-matrices', `[${outFeatures}, ${inFeatures}] in groups of ${groupSize}`)
  }
  const modules = [halfTilesSource, weightSource, ...OUTPUT_SOURCES[output.kind], source]
  const { u32, bool } = specialization(constants)
  const pipeline = await gpu.compile('linear-step-matrices', modules, {
    enable: MATRIX_EXTENSIONS,
    u32: {
      IN: inFeatures,
      OUT: outFeatures,
      GROUP_SIZE: groupSize,
      ROW_MATRICES: rowMatrices,
      ROW_SUBGROUPS: rowSubgroups,
      SLICES: slices,
      ...u32,
    },
    ...(bool && { bool }),
  })
  const [x, y] = flatWorkgroups(Math.ceil(outFeatures / HALF_TILE))
  const tileRows = HALF_TILE * rowMatrices * rowSubgroups
  return dispatchKernel(
    gpu,
    pipeline,
    ({ weight, x, output }) => [weight.weight, weight.scales, weight.biases, x, ...outputBindings(output)],
    () => [x, y, Math.ceil(maxRows / tileRows)],
  )
}
