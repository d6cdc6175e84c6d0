import type { SourceReader } from './source-reader.js'

const SIGN = /[+-][ \t]*/y
const FLOAT =
  /(?:\d(?:_?\d)*\.(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?|\d(?:_?\d)*[eE][+-]?\d(?:_?\d)*/y
const INTEGER = /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?0)*|[1-9](?:_?\d)*/y
const GOES_ON = /[\p{ID_Continue}.]/uy

/** As many as Python reads; more take the square of their number. */
const MAX_DIGITS = 4300

/**
 * Takes a Python number with an optional sign (Python reference, 2.6), `undefined` if none is here. An integer beyond
 * 2^53 is a bigint.
 */
export function readNumber(reader: SourceReader): number | bigint | undefined {
  const start = reader.position
  const sign = reader.match(SIGN)
  const float = reader.match(FLOAT)
  const digits = float ?? reader.match(INTEGER)
  if (digits === undefined) {
    reader.rewind(start)
    return undefined
  }
  // 1j, 007 and 1.2.3 are no numbers, or none that JSON has.
  if (reader.match(GOES_ON) !== undefined)
    reader.fail('a decimal, hexadecimal, octal or binary number', start)
  if (digits.length > MAX_DIGITS) reader.fail(`at most ${MAX_DIGITS} digits`, start)
  const plain = digits.replaceAll('_', '')
  const value = Number(plain)
  const isNegative = sign?.startsWith('-')
  if (float !== undefined) return isNegative ? -value : value
  if (!Number.isSafeInteger(value)) return isNegative ? -BigInt(plain) : BigInt(plain)
  // An integer has no negative zero.
  return isNegative ? 0 - value : value
}
