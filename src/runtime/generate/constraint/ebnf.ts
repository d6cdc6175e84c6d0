/** Pieces of grammars as `readGrammar` reads them. Whatever is not a letter or digit is written by its number. */

function escaped(codePoint: number): string {
  const character = String.fromCodePoint(codePoint)
  return /[A-Za-z0-9]/.test(character) ? character : `\\U${codePoint.toString(16).padStart(8, '0')}`
}

/** A text that must come as it is; nothing where it is empty. Unpaired surrogates must have been refused. */
export function literal(text: string): string {
  return `"${Array.from(text, (character) => escaped(character.codePointAt(0)!)).join('')}"`
}

/** One of several; brackets are set where they are needed. */
export function oneOf(alternatives: readonly string[]): string {
  return alternatives.length === 1 ? alternatives[0] : `(${alternatives.join(' | ')})`
}

/** Inclusive ranges of code points, in order, apart from each other. */
export type CodePoints = readonly (readonly [first: number, last: number])[]

const LAST = 0x10ffff
/** Every character that UTF-8 can hold: all but surrogates. */
export const ALL: CodePoints = [
  [0, 0xd7ff],
  [0xe000, LAST],
]

/** Ranges in order, put together where they touch. */
export function union(ranges: CodePoints): CodePoints {
  const result: [number, number][] = []
  for (const [first, last] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const end = result.at(-1)
    if (end && first <= end[1] + 1) end[1] = Math.max(end[1], last)
    else result.push([first, last])
  }
  return result
}

export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  return union(
    a.flatMap(([first, last]) =>
      b.flatMap(([from, to]): CodePoints => {
        const range = [Math.max(first, from), Math.min(last, to)] as const
        return range[0] <= range[1] ? [range] : []
      }),
    ),
  )
}

/** All characters but some. */
export function complement(ranges: CodePoints): CodePoints {
  const gaps: [number, number][] = []
  let next = 0
  for (const [first, last] of union(ranges)) {
    if (first > next) gaps.push([next, first - 1])
    next = last + 1
  }
  if (next <= LAST) gaps.push([next, LAST])
  return intersection(gaps, ALL)
}

/** One character out of ranges that are not empty. */
export function characterOf(ranges: CodePoints): string {
  const parts = ranges.map(([first, last]) =>
    first === last ? escaped(first) : `${escaped(first)}-${escaped(last)}`,
  )
  return `[${parts.join('')}]`
}

/** An expression so many times. @param most undefined for any number */
export function repeated(expression: string, least: number, most: number | undefined): string {
  if (most === 0) return '""'
  if (least === 1 && most === 1) return expression
  if (most === undefined && least < 2) return `(${expression})${least === 0 ? '*' : '+'}`
  if (least === 0 && most === 1) return `(${expression})?`
  return `(${expression}){${least},${most ?? ''}}`
}
