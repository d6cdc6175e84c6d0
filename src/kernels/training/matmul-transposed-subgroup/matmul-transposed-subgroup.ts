import type { Gpu } from '../../../gpu/index.js'
import type { ScratchKernel } from '../../common/kernel.js'
import type { TransposedBuffers, TransposedConstants } from '../../common/linear-transposed.js'
import { scratchLayout } from '../../common/scratch.js'
import { weightBindings, weightReader } from '../../common/weight.js'
import { kernelArgument } from '../../errors.js'
import { halfMatrixShape } from '../../linear/matmul-subgroup/matrix-shape.js'
import sumsSource from '../../linear/matmul-subgroup/sums.wgsl?raw'
import { matmulTiling, tileSize } from '../../linear/matmul-subgroup/tiling.js'
import { WEIGHT_SOURCES } from '../../linear/matmul-subgroup/weight-sources.js'
import source from './matmul-transposed-subgroup.wgsl?raw'
import packSource from './pack-rows.wgsl?raw'

/** Bits of an element. */
const BITS = { f16: 16, q4: 4, q8: 8 }

/**
 * Compiles the product dx (+)= dy * w on subgroup matrices, with both factors rounded to f16: the weight as it is, each
 * row of dy scaled by a power of two to the upper end of f16's range and back. Only where `halfMatrixShape` finds a
 * shape.
 * @throws `option.kernel-argument` where the GPU has no fitting subgroup matrices, or the columns do not divide into groups
 */
export async function compileMatmulTransposedSubgroup(
  gpu: Gpu,
  constants: TransposedConstants,
): Promise<ScratchKernel<TransposedBuffers>> {
  const kernel = 'matmul-transposed-subgroup'
  const shape = halfMatrixShape(gpu)
  if (!shape) throw kernelArgument(kernel, 'this GPU has no subgroup matrices of f16')
  const { format, inFeatures, outFeatures, outStride, outOffset, accumulate, maxRows } = constants
  const reader = weightReader(kernel, format, inFeatures)
  const { sources, unit } = WEIGHT_SOURCES[format.type]
  if ('groupSize' in format && format.groupSize % unit !== 0) {
    throw kernelArgument(kernel, `groups of ${format.groupSize} do not divide into ${unit} elements`)
  }
  const tiles = matmulTiling(shape, maxRows, gpu.limits.maxComputeWorkgroupStorageSize)
  const { tileRows, tileOutputs: tileInputs } = tileSize(shape, tiles)
  const outOctets = Math.ceil(outFeatures / 8)
  const sizes = { OUT: outFeatures, OUT_OCTETS: outOctets }
  const [pack, multiply] = await Promise.all([
    gpu.compile('pack-rows', [packSource], {
      u32: { ...sizes, OUT_STRIDE: outStride, OUT_OFFSET: outOffset, WORKGROUP_SIZE: gpu.workgroupSize(256) },
    }),
    gpu.compile(kernel, [...sources, sumsSource, source], {
      enable: ['f16', 'chromium_experimental_subgroup_matrix'],
      u32: {
        ...reader.u32,
        ...sizes,
        BITS: BITS[format.type],
        MAX_ROWS: maxRows,
        M: shape.M,
        N: shape.N,
        K: shape.K,
        SUBGROUP_SIZE: shape.subgroupSize,
        ROW_SUBGROUPS: tiles.rowSubgroups,
        INPUT_SUBGROUPS: tiles.outputSubgroups,
        TILE_DEPTH: tiles.depth,
      },
      bool: { ACCUMULATE: accumulate },
    }),
  ])
  const layout = scratchLayout({ unscale: maxRows * 4, packed: maxRows * outOctets * 16 })
  return {
    scratchBytes: layout.bytes,
    bind(label, buffers) {
      const { dy, dx, scratch } = buffers
      if (!scratch) throw kernelArgument(kernel, `"${label}" needs a scratch buffer`)
      const { unscale, packed } = layout.ranges(scratch)
      return [
        {
          label: `${label} pack`,
          pipeline: pack,
          bindGroup: gpu.bind(pack, `${label} pack`, [dy, unscale, packed]),
          workgroups: (rows) => [rows, 1, 1],
        },
        {
          label,
          pipeline: multiply,
          bindGroup: gpu.bind(multiply, label, [...weightBindings(buffers), packed, unscale, dx]),
          workgroups: (rows) => [Math.ceil(rows / tileRows), Math.ceil(inFeatures / tileInputs), 1],
        },
      ]
    },
  }
}
