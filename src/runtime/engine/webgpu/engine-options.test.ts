import { describe, expect, it } from 'vitest'
import type { ChoicePlan } from '../variants/choose-variants.js'
import { mostRows, rowBucket } from './engine-options.js'

describe('the rows that steps are built for', () => {
  const buckets = (product: 'matvec' | 'many-rows', maxSequences: number) =>
    [1, 2, 3, 8, 9, 16].map((rows) => rowBucket(product, rows, maxSequences))

  it('are few numbers, where kernels compute as many rows as they are built for', () => {
    expect(buckets('matvec', 16)).toEqual([1, 2, 4, 8, 16, 16])
  })

  it('are one or all, where kernels are indifferent to them', () => {
    expect(buckets('many-rows', 16)).toEqual([1, 16, 16, 16, 16, 16])
  })

  it('are at most those of the variant that needs the most', () => {
    const choice = (order: ChoicePlan['order']): ChoicePlan[] => [
      { name: 'fewRowsProduct', order, measure: false, reason: '', impossible: {} },
    ]
    expect(mostRows(choice(['many-rows']), 3)).toBe(3)
    expect(mostRows(choice(['many-rows', 'matvec']), 3)).toBe(4)
  })
})
