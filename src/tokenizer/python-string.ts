import type { SourceReader } from './source-reader.js'

const OPENING = /([rRuU]?)('''|"""|'|")/y
const SIMPLE_ESCAPES: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const OCTAL = /[0-7]{1,3}/y
const HEX: Record<string, RegExp> = {
  x: /[\da-fA-F]{2}/y,
  u: /[\da-fA-F]{4}/y,
  U: /[\da-fA-F]{8}/y,
}

/** Whether a string is next. Prefixes b and f are none: bytes and expressions are no text. */
export function startsString({ source, position }: SourceReader): boolean {
  OPENING.lastIndex = position
  return OPENING.test(source)
}

/** Takes one string literal (Python reference, 2.5.1). */
export function readString(reader: SourceReader): string {
  const start = reader.position
  const opening = reader.match(OPENING)!
  const quote = opening.replace(/^[rRuU]/, '')
  const isRaw = /^[rR]/.test(opening)
  const isLong = quote.length === 3
  const parts: string[] = []
  const unfinished = () => reader.fail(`a string that ends with ${quote}`, start)
  while (!reader.take(quote)) {
    if (!isLong && /[\r\n]/.test(reader.peek())) unfinished()
    const isEscape = reader.take('\\')
    if (reader.atEnd) unfinished()
    if (isEscape) parts.push(isRaw ? readRawEscape(reader) : readEscape(reader))
    else parts.push(takeCharacter(reader))
  }
  return parts.join('')
}

/** Takes a UTF-16 unit, of which there must be one. Python reads every kind of line end as a newline. */
function takeCharacter(reader: SourceReader): string {
  if (reader.take('\r\n') || reader.take('\r')) return '\n'
  return reader.takeUnit()
}

/** In a raw string a backslash keeps a quote from ending it, but stays. */
function readRawEscape(reader: SourceReader): string {
  return `\\${takeCharacter(reader)}`
}

function readEscape(reader: SourceReader): string {
  const start = reader.position - 1
  const octal = reader.match(OCTAL)
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
  const character = takeCharacter(reader)
  const simple = SIMPLE_ESCAPES[character]
  if (simple !== undefined) return simple
  if (character === 'N') return reader.fail('a character written out, not by its name', start)
  const digits = HEX[character]
  // Python keeps the backslash of an escape that it does not know.
  if (digits === undefined) return `\\${character}`
  const codePoint = Number.parseInt(reader.match(digits) ?? '', 16)
  if (!(codePoint <= 0x10ffff)) reader.fail('the hexadecimal digits of a character', start)
  return String.fromCodePoint(codePoint)
}
