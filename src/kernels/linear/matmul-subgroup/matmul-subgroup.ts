import type { Gpu } from '../../../gpu/index.js'
import { dispatchKernel, type Kernel } from '../../common/kernel.js'
import {
  type LinearBuffers,
  type LinearConstants,
  linearBindings,
  linearSpecialization,
} from '../../common/linear.js'
import { weightReader } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import source from './matmul-subgroup.wgsl?raw'
import { halfMatrixShape } from './matrix-shape.js'
import directSource from './output-direct.wgsl?raw'
import edgesSource from './output-edges.wgsl?raw'
import sumsSource from './sums.wgsl?raw'
import { fitsTiling, matmulTiling, tileSize } from './tiling.js'
import { WEIGHT_SOURCES } from './weight-sources.js'

/**
 * Whether this GPU has fitting subgroup matrices and the workgroup memory that the product needs, and the groups of the
 * weight divide into what is loaded at once.
 */
export function canRunMatmulSubgroup(gpu: Gpu, { format }: Pick<LinearConstants, 'format'>): boolean {
  const shape = halfMatrixShape(gpu)
  const groupsFit = format.type === 'f16' || format.groupSize % WEIGHT_SOURCES[format.type].unit === 0
  return groupsFit && shape !== undefined && fitsTiling(shape, gpu.limits.maxComputeWorkgroupStorageSize)
}

/**
 * Compiles the matrix product y (+)= x * w^T (+ bias) for many rows on subgroup matrices, with both factors rounded
 * to f16. Only where `halfMatrixShape` finds a shape.
 * @throws `option.kernel-argument` where the GPU has no fitting subgroup matrices, or the columns do not divide into groups
 */
export async function compileMatmulSubgroup(
  gpu: Gpu,
  constants: LinearConstants,
): Promise<Kernel<LinearBuffers>> {
  const shape = halfMatrixShape(gpu)
  if (!shape) throw kernelArgument('matmul-subgroup', 'this GPU has no subgroup matrices of f16')
  const { format, inFeatures, outFeatures, maxRows } = constants
  const reader = weightReader('matmul-subgroup', format, inFeatures)
  const { sources, unit } = WEIGHT_SOURCES[format.type]
  if ('groupSize' in format && format.groupSize % unit !== 0) {
    throw kernelArgument(
      'matmul-subgroup',
      `groups of ${format.groupSize} do not divide into ${unit} elements`,
    )
  }
  const tiles = matmulTiling(shape, maxRows, gpu.limits.maxComputeWorkgroupStorageSize)
  const { tileRows, tileOutputs } = tileSize(shape, tiles)
  // Lines of matrices are stored straight to y where 16 bytes of it are aligned.
  const aligned = constants.outStride % 4 === 0 && constants.outOffset % 4 === 0
  const oneStart = !(constants.hasBias && constants.accumulate)
  const direct = aligned && oneStart && maxRows >= tileRows && outFeatures >= tileOutputs
  const { u32, bool } = linearSpecialization(constants)
  const modules = [...sources, direct ? directSource : edgesSource, sumsSource, source]
  const pipeline = await gpu.compile('matmul-subgroup', modules, {
    enable: ['f16', 'chromium_experimental_subgroup_matrix'],
    u32: {
      ...reader.u32,
      ...u32,
      MAX_ROWS: maxRows,
      M: shape.M,
      N: shape.N,
      K: shape.K,
      SUBGROUP_SIZE: shape.subgroupSize,
      ROW_SUBGROUPS: tiles.rowSubgroups,
      OUTPUT_SUBGROUPS: tiles.outputSubgroups,
      TILE_DEPTH: tiles.depth,
    },
    bool,
  })
  return dispatchKernel(
    gpu,
    pipeline,
    (buffers) => linearBindings(gpu, buffers),
    (rows) => [Math.ceil(rows / tileRows), Math.ceil(outFeatures / tileOutputs), 1],
  )
}
