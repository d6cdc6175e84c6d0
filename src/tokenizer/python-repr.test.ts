import { describe, expect, it } from 'vitest'
import type { PythonValue } from './python-literal.js'
import { toPythonLiteral } from './python-repr.js'

describe("Python's repr", () => {
  // Each pair by Python 3.11.
  it.each<[PythonValue, string]>([
    ['Paris', "'Paris'"],
    ["it's", `"it's"`],
    ['"x"', `'"x"'`],
    [`it's "x"`, `'it\\'s "x"'`],
    ['a\\b\n\r\t', String.raw`'a\\b\n\r\t'`],
    ['\0\x1b\x7f\x85\xa0\xad', String.raw`'\x00\x1b\x7f\x85\xa0\xad'`],
    ['\u200b\u2028\u3000\ufeff\ue000', String.raw`'\u200b\u2028\u3000\ufeff\ue000'`],
    ['\ud83d', String.raw`'\ud83d'`],
    ['\u{e0001}', String.raw`'\U000e0001'`],
    ['北京 é👋', "'北京 é👋'"],
    [2, '2'],
    [-0.5, '-0.5'],
    [1e-7, '1e-07'],
    [true, 'True'],
    [false, 'False'],
    [null, 'None'],
    [[], '[]'],
    [[1, ['a']], "[1, ['a']]"],
    [{}, '{}'],
    [{ a: { b: null } }, "{'a': {'b': None}}"],
  ])('of %j is %s', (value, literal) => {
    expect(toPythonLiteral(value)).toBe(literal)
  })

  it('of infinity is a literal beyond the range of a double, and of NaN the name that Python has for it', () => {
    expect(toPythonLiteral([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])).toBe(
      '[1e309, -1e309, nan]',
    )
  })

  it('does not exist for what Python has not, or what holds itself', () => {
    const loop: PythonValue[] = []
    loop.push(loop)
    expect(() => toPythonLiteral(loop)).toThrow(expect.objectContaining({ code: 'input.not-serializable' }))
    expect(() => toPythonLiteral(undefined as unknown as PythonValue)).toThrow(
      expect.objectContaining({ code: 'input.not-serializable' }),
    )
  })
})
