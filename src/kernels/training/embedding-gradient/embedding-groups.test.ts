import { describe, expect, it } from 'vitest'
import { embeddingGroups } from './embedding-groups.js'

describe('the rows of each token', () => {
  it('lie side by side in the order of the rows, tokens rising', () => {
    const { order, groups } = embeddingGroups([7, 3, 7, 65_023, 0, 7, 3])
    expect([...order]).toEqual([4, 1, 6, 0, 2, 5, 3])
    expect([...groups]).toEqual([0, 0, 1, 3, 1, 2, 7, 3, 3, 65_023, 6, 1])
  })

  it('are one group where there is one token', () => {
    const { order, groups } = embeddingGroups([5, 5, 5])
    expect([...order]).toEqual([0, 1, 2])
    expect([...groups]).toEqual([5, 0, 3])
  })

  it('are none where there are no rows', () => {
    const { order, groups } = embeddingGroups([])
    expect([order.length, groups.length]).toEqual([0, 0])
  })

  it.each([-1, 0.5, Number.NaN])('are not made of token %s', (id) => {
    expect(() => embeddingGroups([1, id])).toThrow(`token ${id}`)
  })
})
