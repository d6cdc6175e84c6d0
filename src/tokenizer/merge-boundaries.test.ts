import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MergeBoundaries } from './merge-boundaries.js'

describe('cutting text where no merge can cross', () => {
  const boundaries = new MergeBoundaries([
    ['a', 'b'],
    ['ab', 'c'],
    ['👋', '好'],
  ])

  it('keeps together what a merge may join, by the characters on both sides', () => {
    expect(boundaries.split('abcabxab')).toEqual(['abc', 'ab', 'x', 'ab'])
    expect(boundaries.split('👋好👋👋')).toEqual(['👋好', '👋', '👋'])
    expect(boundaries.split('')).toEqual([])
  })

  it('loses nothing and cuts no character in two', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parts = boundaries.split(text)
        expect(parts.join('')).toBe(text)
        for (const part of parts) {
          expect(part).not.toBe('')
          expect(part).not.toMatch(/\p{Surrogate}/u)
        }
      }),
    )
  })
})
