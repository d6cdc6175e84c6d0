import { describe, expect, it } from 'vitest'
import type { ChoicePlan } from '../variants/choose-variants.js'
import { mostRows, rowBucket } from './engine-options.js'

describe('the rows that steps are built for', () => {
  const FLOAT = { decodeFew: 'float', decodeMany: 'float', fewRowsProduct: 'matvec' } as const
  const buckets = (variants: Partial<Parameters<typeof rowBucket>[0]>, maxSequences: number) =>
    [1, 2, 3, 8, 9, 16].map((rows) => rowBucket({ ...FLOAT, ...variants }, rows, maxSequences))

  it('are few numbers, where kernels compute as many rows as they are built for', () => {
    expect(buckets({}, 16)).toEqual([1, 2, 4, 8, 16, 16])
    expect(buckets({ fewRowsProduct: 'many-rows', decodeFew: 'fused-int8' }, 20)).toEqual([
      1, 2, 4, 8, 20, 20,
    ])
    expect(buckets({ decodeMany: 'fused-subgroup-matrix' }, 10)).toEqual([1, 2, 4, 8, 16, 16])
  })

  it('are one or all, where kernels are indifferent to them', () => {
    expect(buckets({ fewRowsProduct: 'many-rows' }, 16)).toEqual([1, 16, 16, 16, 16, 16])
  })

  it('are at most those of the variants that need the most', () => {
    const choices = (orders: { readonly [Name in keyof typeof FLOAT]?: ChoicePlan['order'] }): ChoicePlan[] =>
      (['fewRowsProduct', 'decodeFew', 'decodeMany'] as const).map((name) => {
        const order = orders[name] ?? [FLOAT[name]]
        return { name, order, measure: false, reason: '', impossible: {} }
      })
    expect(mostRows(choices({ fewRowsProduct: ['many-rows'] }), 3)).toBe(3)
    expect(mostRows(choices({ fewRowsProduct: ['many-rows', 'matvec'] }), 3)).toBe(4)
    expect(mostRows(choices({ decodeMany: ['fused-subgroup-matrix', 'float'] }), 33)).toBe(64)
  })
})
