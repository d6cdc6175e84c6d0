import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../../gpu/index.js'
import type { WeightFormat } from '../../../kernels/index.js'
import type { ModelConfig } from '../../model/config.js'
import { candidates } from './candidates.js'

describe('candidates', () => {
  const matrices = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 }
  /** A GPU as kernels ask it; nothing is computed on it. */
  const gpuWith = (more: object) =>
    ({
      f16: true,
      subgroups: true,
      subgroupMatrices: [matrices],
      software: false,
      info: { subgroupMinSize: 32, subgroupMaxSize: 32 },
      limits: { maxComputeWorkgroupStorageSize: 49_152, maxStorageBuffersPerShaderStage: 16 },
      workgroupSize: (size: number) => size,
      ...more,
    }) as unknown as Gpu
  const config = { ffn: 13_696, heads: 32, kvGroups: 2, headDim: 128 } as ModelConfig
  const shapeOf = (format: WeightFormat, outFeatures = 4096) => {
    const matrix = { inFeatures: 4096, outFeatures, slices: [{ format, rows: outFeatures }] }
    return { layers: [{ qkv: matrix, dense: matrix, gateUp: matrix, down: matrix }], output: matrix }
  }
  const possible = (gpu: Gpu, format: WeightFormat = { type: 'q4', groupSize: 64 }, float = false) => {
    const setting = { gpu, config, shape: shapeOf(format), activations: float ? 'float' : 'int8' } as const
    return Object.values(candidates(setting)).map((list) =>
      list.flatMap(({ variant, obstacle }) => (obstacle === undefined ? [variant] : [])),
    )
  }

  it('are no fused steps of several sequences where outputs do not divide into eights', () => {
    const shape = shapeOf({ type: 'q4', groupSize: 64 }, 4100)
    const all = candidates({ gpu: gpuWith({}), config, shape, activations: 'int8' })
    expect(all.decode[0]).toEqual({ variant: 'fused-int8' })
    for (const [first] of [all.decodeFew, all.decodeMany])
      expect(first.obstacle).toContain('outputs in eights')
  })

  it.each([
    [
      'everything on a GPU with subgroup matrices',
      possible(gpuWith({})),
      [
        ['fused-subgroup-matrix', 'unfused'],
        ['subgroup-matrix', 'int8', 'float16', 'float32'],
        ['subgroup-matrix', 'tiled', 'simple'],
        ['matvec'],
        ['fused-int8', 'float'],
        ['subgroup-matrix', 'simple'],
        ['fused-int8', 'float'],
        ['fused-subgroup-matrix', 'float'],
        ['subgroup-matrix', 'float16', 'float32'],
        ['subgroup-matrix', 'tiled'],
      ],
    ],
    [
      'what needs no optional feature elsewhere',
      possible(gpuWith({ f16: false, subgroups: false, subgroupMatrices: [] })),
      [
        ['unfused'],
        ['int8', 'float32'],
        ['tiled', 'simple'],
        ['matvec'],
        ['fused-int8', 'float'],
        ['simple'],
        ['fused-int8', 'float'],
        ['float'],
        ['float32'],
        ['tiled'],
      ],
    ],
    [
      'nothing that rounds to 8 bits with float activations',
      possible(gpuWith({}), undefined, true),
      [
        ['fused-subgroup-matrix', 'unfused'],
        ['subgroup-matrix', 'float16', 'float32'],
        ['subgroup-matrix', 'tiled', 'simple'],
        ['matvec'],
        ['float'],
        ['simple'],
        ['float'],
        ['fused-subgroup-matrix', 'float'],
        ['subgroup-matrix', 'float16', 'float32'],
        ['subgroup-matrix', 'tiled'],
      ],
    ],
    [
      'no integer products with dense weights',
      possible(gpuWith({ subgroupMatrices: [] }), { type: 'f16' }),
      [
        ['unfused'],
        ['float16', 'float32'],
        ['tiled', 'simple'],
        ['matvec'],
        ['float'],
        ['simple'],
        ['float'],
        ['float'],
        ['float16', 'float32'],
        ['tiled'],
      ],
    ],
    [
      'integer products, but no fused steps with 8-bit weights',
      possible(gpuWith({ subgroupMatrices: [] }), { type: 'q8', groupSize: 64 }),
      [
        ['unfused'],
        ['int8', 'float16', 'float32'],
        ['tiled', 'simple'],
        ['matvec'],
        ['float'],
        ['simple'],
        ['float'],
        ['float'],
        ['float16', 'float32'],
        ['tiled'],
      ],
    ],
    [
      'what fits into 16 KiB of workgroup memory',
      possible(
        gpuWith({ limits: { maxComputeWorkgroupStorageSize: 16_384, maxStorageBuffersPerShaderStage: 8 } }),
        { type: 'q4', groupSize: 128 },
      ),
      [
        ['unfused'],
        ['float16', 'float32'],
        ['simple'],
        ['matvec'],
        ['float'],
        ['simple'],
        ['float'],
        ['float'],
        ['float16', 'float32'],
        ['tiled'],
      ],
    ],
    [
      'first what compiles fast on a software adapter',
      possible(gpuWith({ software: true, f16: false, subgroupMatrices: [] })),
      [
        ['unfused'],
        ['float32', 'int8'],
        ['simple', 'tiled'],
        ['many-rows'],
        ['fused-int8', 'float'],
        ['unsplit', 'simple'],
        ['float', 'fused-int8'],
        ['float'],
        ['float32'],
        ['tiled'],
      ],
    ],
  ])('are %s', (_, found, expected) => {
    expect(found).toEqual(expected)
  })
})
