/** JSON of users: no digit and no order is lost on the way through. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasCode } from '../errors/index.js'
import { parseJson } from './json-reader.js'
import { pythonJson, stringifyJson } from './python-json.js'
import { parseToolCall } from './python-literal.js'
import { formatToolCall } from './python-repr.js'

const failure = (text: string) => {
  try {
    parseJson(text)
  } catch (error) {
    if (hasCode(error, 'input.json')) return error.message
    throw error
  }
  throw new Error(`${text} was read`)
}

describe('JSON text', () => {
  it.each([
    ['22.0', '22.0', '22.0'],
    ['-22.00', '-22.0', '-22.0'],
    ['1e16', '1e+16', '1e+16'],
    ['1E+22', '1e+22', '1e+22'],
    ['123456789012345680.0', '1.2345678901234568e+17', '1.2345678901234568e+17'],
    ['1e3', '1000.0', '1000.0'],
    ['-0.0', '-0.0', '-0.0'],
    ['-0', '0', '0'],
    ['0.1', '0.1', '0.1'],
    ['1e-5', '1e-05', '0.00001'],
    ['1e400', 'Infinity', '1e309'],
    ['9007199254740991', '9007199254740991', '9007199254740991'],
    ['1234567890123456789', '1234567890123456789', '1234567890123456789'],
    ['-18446744073709551616', '-18446744073709551616', '-18446744073709551616'],
    ['{"10":1,"b":2,"2":3}', '{"10": 1, "b": 2, "2": 3}', '{"10":1,"b":2,"2":3}'],
    ['{"1":1,"2":3}', '{"1": 1, "2": 3}', '{"1":1,"2":3}'],
    ['{"__proto__":[{"2":1,"1":2}]}', '{"__proto__": [{"2": 1, "1": 2}]}', '{"__proto__":[{"2":1,"1":2}]}'],
    ['"\\ud83d\\ude00\\n"', '"😀\\n"', '"😀\\n"'],
  ])('%s is written as Python and as JSON.stringify would', (text, python, json) => {
    const value = parseJson(text)
    expect([pythonJson(value), stringifyJson(value)]).toEqual([python, json])
    // As a page sends it to its worker.
    expect(pythonJson(structuredClone(value))).toBe(python)
  })

  it('gives what JSON.parse gives, but for numbers and order', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent)
        expect(JSON.parse(stringifyJson(parseJson(text), indent))).toEqual(JSON.parse(text))
      }),
      { seed: 3, numRuns: 300 },
    )
  })

  it('keeps every integer, also through calls of tools', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), (id) => {
        expect(pythonJson(parseJson(`{"id": ${id}}`))).toBe(`{"id": ${id}}`)
        const call = `tool_call(id=${id})`
        expect(formatToolCall(parseToolCall(call))).toBe(call)
      }),
      { seed: 4, numRuns: 300 },
    )
  })

  it('becomes the arguments that the official scripts write', () => {
    const text =
      '{"price": 22.0, "id": 1234567890123456789, "big": 1e+16, "m": {"10": "a", "b": "c", "2": "d"}}'
    expect(formatToolCall(parseJson(text) as Record<string, never>)).toBe(
      "tool_call(price=22.0, id=1234567890123456789, big=1e+16, m={'10': 'a', 'b': 'c', '2': 'd'})",
    )
  })

  it.each([
    ['', 'No JSON: expected a value at column 1, found the end.'],
    ['{"a": ', 'expected a value at column 7, found the end'],
    ['{"a": 1,\n"a": 2}', 'expected no key twice at line 2, column 1, found "\\"a\\": 2}"'],
    ["{'a': 1}", 'expected a key in double quotes at column 2'],
    ['[1,]', 'expected a value at column 4'],
    ['[1 2]', 'expected "," or "]" at column 4'],
    ['01', 'expected nothing behind the value at column 2'],
    ['"a\tb"', 'expected no control character in a text'],
    ['"a', 'expected the end of this text'],
    ['"\\x"', 'expected no other escapes'],
    ['NaN', 'expected a value'],
    ['['.repeat(200), 'expected at most 100 levels'],
    [`[${'{},'.repeat(2 ** 20)}{}]`, `expected at most ${2 ** 20} values`],
    ['1'.repeat(5000), 'expected at most 4300 digits'],
  ])('%.40s is refused', (text, message) => {
    expect(failure(text)).toContain(message)
  })
})
