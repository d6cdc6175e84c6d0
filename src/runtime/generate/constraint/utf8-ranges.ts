import { type CodePoints, intersection } from './ebnf.js'

/** Where UTF-8 takes one more byte. */
const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff, 0x10ffff]

/** The values of each byte of some characters, the first and the last included. */
export type ByteSequence = readonly (readonly [first: number, last: number])[]

/** Splits a range of characters of the same length until every byte has a range of its own. */
function split(first: number, last: number, length: number): ByteSequence[] {
  for (let i = 1; i < length; i++) {
    const low = (1 << (6 * i)) - 1
    if ((first & ~low) === (last & ~low)) continue
    const middle = (first & low) !== 0 ? first | low : (last & low) !== low ? (last & ~low) - 1 : undefined
    if (middle !== undefined) return [...split(first, middle, length), ...split(middle + 1, last, length)]
  }
  const lead = length === 1 ? 0 : (0xff00 >> length) & 0xff
  const byte = (code: number, i: number) => {
    const bits = code >> (6 * (length - 1 - i))
    return i === 0 ? lead | bits : 0x80 | (bits & 0x3f)
  }
  return [Array.from({ length }, (_, i) => [byte(first, i), byte(last, i)] as const)]
}

/** Characters as sequences of bytes in UTF-8. */
export function utf8Ranges(ranges: CodePoints): ByteSequence[] {
  return LAST_OF_LENGTH.flatMap((most, i) => {
    const least = i === 0 ? 0 : LAST_OF_LENGTH[i - 1] + 1
    return intersection(ranges, [[least, most]]).flatMap(([first, last]) => split(first, last, i + 1))
  })
}
