import { readNumber } from './python-number.js'
import { readString, startsString } from './python-string.js'
import { SourceReader } from './source-reader.js'

/**
 * What a Python literal becomes: None is null, lists and tuples are arrays, the keys of a dict are strings. An integer
 * beyond 2^53 is a bigint, so that no digit of an id is lost; `stringifyJson` writes it.
 */
export type PythonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PythonValue[]
  | { [key: string]: PythonValue }

const MAX_DEPTH = 100

/**
 * Reads the call that ChatGLM3 writes to use a tool, `tool_call(city='Paris', days=2)`, without evaluating anything.
 *
 * Keyword arguments only, their values literals: strings (with prefixes r and u, in triple quotes, several in a
 * row), numbers, True, False, None, lists, tuples and dicts. A float is a double. Keys of dicts become strings as
 * `json.dumps` makes them.
 *
 * @returns the arguments by name
 * @throws `input.python-literal` at anything else
 */
export function parseToolCall(source: string): Record<string, PythonValue> {
  const reader = new SourceReader(source)
  reader.skipSpace()
  const callee = reader.position
  if (reader.takeName() !== 'tool_call') reader.fail('tool_call(…)', callee)
  reader.skipSpace()
  reader.expect('(')
  const parameters = new Map<string, PythonValue>()
  readItems(reader, ')', () => {
    const start = reader.position
    const name = reader.takeName()
    reader.skipSpace()
    if (name === undefined || !reader.take('=')) return reader.fail('name=value', start)
    if (parameters.has(name)) reader.fail(`no second value for ${name}`, start)
    parameters.set(name, readValue(reader, 1))
  })
  reader.skipSpace()
  if (!reader.atEnd) reader.fail('the end')
  return Object.fromEntries(parameters)
}

function readValue(reader: SourceReader, depth: number): PythonValue {
  reader.skipSpace()
  if (depth > MAX_DEPTH) reader.fail(`at most ${MAX_DEPTH} levels`)
  if (reader.take('[')) {
    const items: PythonValue[] = []
    readItems(reader, ']', () => void items.push(readValue(reader, depth + 1)))
    return items
  }
  if (reader.take('(')) return readParentheses(reader, depth + 1)
  if (reader.take('{')) return readDict(reader, depth + 1)
  if (startsString(reader)) return readStrings(reader)
  const number = readNumber(reader)
  if (number !== undefined) return number
  const start = reader.position
  const name = reader.takeName()
  if (name === 'True') return true
  if (name === 'False') return false
  if (name === 'None') return null
  return reader.fail('a literal', start)
}

/** Items up to a closing bracket, a comma between them and perhaps after the last. Returns whether there was one. */
function readItems(reader: SourceReader, close: string, readItem: () => void): { endsWithComma: boolean } {
  let endsWithComma = false
  for (let isFirst = true; ; isFirst = false) {
    reader.skipSpace()
    if (reader.take(close)) return { endsWithComma }
    if (!isFirst && !endsWithComma) reader.fail(`"," or "${close}"`)
    readItem()
    reader.skipSpace()
    endsWithComma = reader.take(',')
  }
}

/** A tuple, or a single value in parentheses. */
function readParentheses(reader: SourceReader, depth: number): PythonValue {
  const items: PythonValue[] = []
  const { endsWithComma } = readItems(reader, ')', () => void items.push(readValue(reader, depth)))
  return items.length === 1 && !endsWithComma ? items[0] : items
}

function readDict(reader: SourceReader, depth: number): PythonValue {
  const entries = new Map<string, PythonValue>()
  readItems(reader, '}', () => {
    const start = reader.position
    const key = readValue(reader, depth)
    if (typeof key === 'object' && key !== null) reader.fail('a string or a number as key', start)
    reader.skipSpace()
    reader.expect(':')
    entries.set(String(key), readValue(reader, depth))
  })
  return Object.fromEntries(entries)
}

/** Strings in a row are one string. */
function readStrings(reader: SourceReader): string {
  const parts: string[] = []
  do {
    parts.push(readString(reader))
    reader.skipSpace()
  } while (startsString(reader))
  return parts.join('')
}
