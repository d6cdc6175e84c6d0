import { type CodePoints, characterOf, complement, intersection, literal, oneOf } from './ebnf.js'

/** What stands around a string, and how the characters within are written. */
export interface Quotes {
  readonly mark: string
  /** Characters that are written with a backslash, by their codes. */
  readonly escapes: ReadonlyMap<number, string>
}

const BACKSLASH = '\\'
const CONTROL: CodePoints = [
  [0, 0x1f],
  [0x7f, 0x9f],
]
const LINE_ESCAPES = [
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
] as const

/** Quotes of a kind. @param more escapes beside those of the mark, the backslash and line ends */
function quotes(mark: string, more: readonly (readonly [number, string])[] = []): Quotes {
  const escapes = [mark, BACKSLASH].map((one) => [one.charCodeAt(0), BACKSLASH + one] as const)
  return { mark, escapes: new Map([...escapes, ...more, ...LINE_ESCAPES]) }
}

export const JSON_QUOTES = quotes('"', [
  [0x08, '\\b'],
  [0x0c, '\\f'],
])
export const PYTHON_QUOTES = [quotes("'"), quotes('"')]

/**
 * One character of a string out of ranges, as it is written there; undefined where none of them can be: control characters
 * without an escape are never said.
 */
export function quotedCharacter({ mark, escapes: all }: Quotes, ranges: CodePoints): string | undefined {
  const marks = [mark, BACKSLASH].map((one) => [one.charCodeAt(0), one.charCodeAt(0)] as const)
  const plain = intersection(ranges, complement([...CONTROL, ...marks]))
  const escapes = [...all].filter(([code]) => ranges.some(([first, last]) => first <= code && code <= last))
  const alternatives = [
    ...(plain.length > 0 ? [characterOf(plain)] : []),
    ...escapes.map(([, text]) => literal(text)),
  ]
  return alternatives.length > 0 ? oneOf(alternatives) : undefined
}

/** The texts of usual formats, as patterns. Days are those that every year has. */
export const FORMATS: Readonly<Record<string, string>> = (() => {
  const date =
    '\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))'
  const clock = '([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)'
  const byte = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
  return {
    date,
    time: clock,
    'date-time': `${date}T${clock}`,
    email: '[A-Za-z0-9_+-]{1,32}(\\.[A-Za-z0-9_+-]{1,32})*@[a-z0-9]{1,32}(\\.[a-z0-9]{1,32})*\\.[a-z]{2,12}',
    uuid: '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}',
    ipv4: `${byte}(\\.${byte}){3}`,
    hostname: '[a-z0-9]{1,32}(\\.[a-z0-9]{1,32}){0,4}',
    uri: 'https?://[a-z0-9]{1,32}(\\.[a-z0-9]{1,32})*(/[A-Za-z0-9_.~-]*)*',
  }
})()
