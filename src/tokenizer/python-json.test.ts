import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pythonJson } from './python-json.js'

describe("Python's json.dumps", () => {
  it('puts a space behind commas and colons on one line', () => {
    expect(pythonJson({ temp: 22, 描述: '晴', list: [1, 'a', null, true], none: {} })).toBe(
      '{"temp": 22, "描述": "晴", "list": [1, "a", null, true], "none": {}}',
    )
  })

  it('with an indent is JSON.stringify, but for numbers', () => {
    const value = fc
      .jsonValue({ noUnicodeString: false })
      .map((value) =>
        JSON.parse(JSON.stringify(value), (_, item) =>
          typeof item === 'number' ? Math.round(item % 1e9) + 0 : item,
        ),
      )
    fc.assert(
      fc.property(value, (value) => {
        expect(pythonJson(value, 4)).toBe(JSON.stringify(value, null, 4))
      }),
    )
  })

  // Each pair by Python 3.11.
  it.each([
    [0.5, '0.5'],
    [-0, '-0.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.5e-7, '-1.5e-07'],
    [1e-100, '1e-100'],
    [123456.789, '123456.789'],
    [1e22, '1e+22'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [12345678901234567890n, '12345678901234567890'],
    ['"\\\n\r\t\b\f\u0001\u007f\u2028é', '"\\"\\\\\\n\\r\\t\\b\\f\\u0001\u007f\u2028é"'],
  ])('writes %s as %s', (value, text) => {
    expect(pythonJson(value)).toBe(text)
  })

  it('leaves out what is undefined, and refuses what JSON cannot hold', () => {
    expect(pythonJson({ a: undefined, b: 1 })).toBe('{"b": 1}')
    const loop: Record<string, unknown> = {}
    loop.loop = loop
    for (const value of [loop, () => 1, [undefined], { a: Symbol('s') }]) {
      expect(() => pythonJson(value)).toThrow(expect.objectContaining({ code: 'input.not-serializable' }))
    }
  })
})
