import { ALL, type CodePoints, characterOf, complement, intersection, literal, oneOf } from './ebnf.js'

/** Characters that a JSON text writes with a backslash; other control characters are never said. */
const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x22, '\\"'],
  [0x5c, '\\\\'],
  [0x08, '\\b'],
  [0x0c, '\\f'],
  [0x0a, '\\n'],
  [0x0d, '\\r'],
  [0x09, '\\t'],
])

/** Characters that stand for themselves within quotes. */
const PLAIN = complement([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x7f, 0x9f],
])

/** One character of a JSON string out of ranges, written as JSON writes it; undefined where none of them can be. */
export function jsonCharacter(ranges: CodePoints): string | undefined {
  const plain = intersection(ranges, PLAIN)
  const escapes = [...ESCAPES].filter(([code]) =>
    ranges.some(([first, last]) => first <= code && code <= last),
  )
  const alternatives = [
    ...(plain.length > 0 ? [characterOf(plain)] : []),
    ...escapes.map(([, text]) => literal(text)),
  ]
  return alternatives.length > 0 ? oneOf(alternatives) : undefined
}

/** Any character of a JSON string. */
export const ANY_CHARACTER = jsonCharacter(ALL)!

/** A JSON value as the answer must write it: with the spaces that Python's `json.dumps` sets, which the model learnt. */
export function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${jsonText(inner)}`)
  return `{${entries.join(', ')}}`
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
