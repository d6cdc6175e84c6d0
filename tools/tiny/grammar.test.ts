import { describe, expect, it } from 'vitest'
import { expand, firstExpansion } from './grammar.js'
import { Random } from './random.js'

describe('expand', () => {
  const all = (template: string, slots = {}) => {
    const random = new Random(1)
    return new Set(Array.from({ length: 200 }, () => expand(template, random, slots)))
  }

  it('takes one of the alternatives, which may be empty and may have alternatives', () => {
    expect(all('(a|b(c|))d')).toEqual(new Set(['ad', 'bcd', 'bd']))
  })

  it('fills slots in with what they hold, signs and all', () => {
    expect(all('{x}+{x}', { x: '(1|2)' })).toEqual(new Set(['(1|2)+(1|2)']))
  })

  it.each(['(a|b', 'a)', 'a|b'])('refuses %s', (template) => {
    expect(() => expand(template, new Random(1))).toThrow(/Expected|Unexpected/)
  })

  it('refuses a slot without a value', () => {
    expect(() => expand('{x}', new Random(1))).toThrow('{x}')
  })
})

it('firstExpansion takes the first alternative everywhere', () => {
  expect(firstExpansion('(你好|您好)(！|)(a(b|c)|)')).toBe('你好！ab')
})

describe('Random', () => {
  it('gives the same numbers for the same seed, and others for another', () => {
    const numbers = (seed: number) => {
      const random = new Random(seed)
      return Array.from({ length: 5 }, () => random.integer(0, 999))
    }
    expect(numbers(1)).toEqual(numbers(1))
    expect(numbers(1)).not.toEqual(numbers(2))
  })

  it('reaches both ends of a range, and nothing beyond', () => {
    const random = new Random(3)
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(2, 4)))
    expect([...drawn].sort()).toEqual([2, 3, 4])
  })

  it('draws by weight', () => {
    const random = new Random(4)
    const often = Array.from({ length: 1000 }, () =>
      random.weighted([
        ['often', 9],
        ['rarely', 1],
      ]),
    ).filter((name) => name === 'often').length
    expect(often).toBeGreaterThan(850)
    expect(often).toBeLessThan(950)
  })
})
