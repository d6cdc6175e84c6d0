import { notSerializable } from './errors.js'
import type { JsonValue } from './json-reader.js'
import { entriesOf, pythonNumber, pythonWholeFloat } from './python-json.js'

const MAX_DEPTH = 200

/**
 * A value as Python's `repr` writes it, in which training data for calls of tools has it: `'Paris'`, `2`, `True`,
 * `None`. A whole number is written as an integer unless `parseJson` read it as a float, NaN as `nan`, which is no
 * literal.
 *
 * @throws `input.not-serializable` if the value has no Python form, or holds itself
 */
export function toPythonLiteral(value: JsonValue): string {
  return write(value, 0)
}

/** Arguments by name. */
export type ToolParameters = Readonly<Record<string, JsonValue>> | ReadonlyMap<string, JsonValue>

/**
 * The call of a tool as training data has it (`format_function_call` of the official `preprocess_utils.py`), the
 * inverse of `parseToolCall`: `tool_call(city='Paris', days=2)`.
 *
 * @throws `input.not-serializable` if a value has no Python form
 */
export function formatToolCall(parameters: ToolParameters): string {
  const keywords = [...entriesOf(parameters)].map(([name, value]) => `${name}=${write(value, 0)}`)
  return `tool_call(${keywords.join(', ')})`
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw notSerializable(`more than ${MAX_DEPTH} levels, or a value inside itself`)
  if (value === null) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (typeof value === 'string') return writeString(value)
  if (typeof value === 'number') return writeNumber(value)
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(', ')}]`
  if (typeof value !== 'object') throw notSerializable(`a value of type ${typeof value}`)
  if (value instanceof Number) return pythonWholeFloat(value)
  const items = [...entriesOf(value)].map(([key, item]) => `${writeString(key)}: ${write(item, depth + 1)}`)
  return `{${items.join(', ')}}`
}

function writeNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  // Python has no literal for infinity; its unparsers write a number beyond the range of a double.
  if (!Number.isFinite(value)) return value > 0 ? '1e309' : '-1e309'
  return pythonNumber(value)
}

/** Double quotes only around a text that has single quotes and no double ones. */
function writeString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const escaped = text.replace(/[\\\p{C}\p{Z}'"]/gu, (character) => {
    if (character === '\\' || character === quote) return `\\${character}`
    if (character === ' ' || character === '"' || character === "'") return character
    return SHORT_ESCAPES[character] ?? writeCodePoint(character.codePointAt(0)!)
  })
  return quote + escaped + quote
}

const SHORT_ESCAPES: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** How Python writes what `str.isprintable` denies: separators but the space, control, unassigned and private ones. */
function writeCodePoint(codePoint: number): string {
  const hex = codePoint.toString(16)
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`
  return codePoint <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
