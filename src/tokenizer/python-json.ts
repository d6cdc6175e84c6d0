import { lookAt } from '../errors/index.js'
import { checkArgument, wholeNumber } from '../schema/index.js'
import { notSerializable } from './errors.js'
import type { WholeFloat } from './json-reader.js'

const MAX_DEPTH = 200

/** How a text of JSON looks. */
interface Style {
  /** Spaces per level; one line for everything if left out. */
  readonly indent: number | undefined
  readonly comma: string
  readonly colon: string
  readonly number: (value: number) => string
}

const PYTHON: Omit<Style, 'indent'> = {
  comma: ', ',
  colon: ': ',
  // JavaScript's names for NaN and the infinities are also those of Python's json.
  number: (value) => (Number.isFinite(value) ? pythonNumber(value) : String(value)),
}

const PLAIN: Omit<Style, 'indent'> = {
  comma: ',',
  colon: ':',
  number: (value) => {
    if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value)
    // JSON has no name for infinity; a number beyond the range of a double is read as one.
    return Number.isNaN(value) ? 'null' : value > 0 ? '1e309' : '-1e309'
  },
}

/**
 * The text of a value as Python's `json.dumps(value, indent=indent, ensure_ascii=False)` writes it, in which
 * ChatGLM3 saw tools and observations.
 *
 * Of what `parseJson` gives no digit and no order changes. A value made in JavaScript differs in two ways: a whole
 * number is always written as an integer (`1`, where Python may have had `1.0`), and keys that are whole numbers come
 * first in a plain object.
 *
 * @param indent spaces per level, one line for everything if left out
 * @throws `input.not-serializable` if the value holds something that JSON has not, or itself
 */
export function pythonJson(value: unknown, indent?: number): string {
  return writeWhole(value, { ...PYTHON, indent })
}

/**
 * The text of a value as `JSON.stringify(value, null, indent)` writes it, with bigints and all else that `parseJson`
 * gives as they were in the text.
 *
 * @param indent spaces per level, one line for everything if left out
 * @throws `input.not-serializable` if the value holds something that JSON has not, or itself
 */
export function stringifyJson(value: unknown, indent?: number): string {
  return writeWhole(value, { ...PLAIN, colon: indent === undefined ? ':' : ': ', indent })
}

/** A number as Python's `repr` writes it, given that a whole number is an integer. */
export function pythonNumber(value: number): string {
  if (Number.isInteger(value)) return Object.is(value, -0) ? '-0.0' : String(value)
  if (Math.abs(value) >= 1e-4) return String(value)
  // Python turns to exponents earlier than JavaScript, and gives them two digits.
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

/** A whole number as Python's `repr` writes the float: `22.0`, `1e+16`. */
export function pythonWholeFloat(value: WholeFloat): string {
  const number = value.valueOf()
  return Math.abs(number) < 1e16 ? `${number}.0` : number.toExponential()
}

const INDENT = wholeNumber(0, 16)

function writeWhole(value: unknown, style: Style): string {
  if (style.indent !== undefined) checkArgument('indent', INDENT, style.indent)
  return lookAt(
    () => notSerializable('something that cannot be read'),
    () => write(value, style, 0),
  )
}

function write(value: unknown, style: Style, depth: number): string {
  if (depth > MAX_DEPTH) throw notSerializable(`more than ${MAX_DEPTH} levels, or a value inside itself`)
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return style.number(value)
  if (typeof value !== 'object') throw notSerializable(`a value of type ${typeof value}`)
  if (value instanceof Number) return pythonWholeFloat(value)
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, style, depth + 1))
    return enclose('[', items, ']', style, depth)
  }
  const items = [...entriesOf(value)]
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}${style.colon}${write(item, style, depth + 1)}`)
  return enclose('{', items, '}', style, depth)
}

/** What an object of JSON holds, in its order. */
export function entriesOf(object: object): Iterable<[string, unknown]> {
  return object instanceof Map ? (object as Map<string, unknown>) : Object.entries(object)
}

function enclose(
  open: string,
  items: string[],
  close: string,
  { indent, comma }: Style,
  depth: number,
): string {
  if (indent === undefined || items.length === 0) return open + items.join(comma) + close
  const outer = `\n${' '.repeat(indent * depth)}`
  const inner = outer + ' '.repeat(indent)
  return open + inner + items.join(`,${inner}`) + outer + close
}
