import { notSerializable } from './errors.js'

const MAX_DEPTH = 200

/**
 * The text of a value as Python's `json.dumps(value, indent=indent, ensure_ascii=False)` writes it, in which
 * ChatGLM3 saw tools and observations.
 *
 * Two differences cannot be seen from JavaScript: a whole number is always written as an integer (`1`, where Python
 * may have had `1.0`), and keys that are whole numbers come first in an object.
 *
 * @param indent spaces per level, one line for everything if left out
 * @throws `input.not-serializable` if the value holds something that JSON has not, or itself
 */
export function pythonJson(value: unknown, indent?: number): string {
  return write(value, indent, 0)
}

/** A number as Python's `repr` writes it, given that a whole number is an integer. */
export function pythonNumber(value: number): string {
  if (Number.isInteger(value)) return Object.is(value, -0) ? '-0.0' : String(value)
  if (Math.abs(value) >= 1e-4) return String(value)
  // Python turns to exponents earlier than JavaScript, and gives them two digits.
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

function write(value: unknown, indent: number | undefined, depth: number): string {
  if (depth > MAX_DEPTH) throw notSerializable(`more than ${MAX_DEPTH} levels, or a value inside itself`)
  if (value === null) return 'null'
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') {
    // JavaScript's names for NaN and the infinities are also those of Python's json.
    return Number.isFinite(value) ? pythonNumber(value) : String(value)
  }
  if (typeof value !== 'object') throw notSerializable(`a value of type ${typeof value}`)
  if (Array.isArray(value)) {
    const items = value.map((item) => write(item, indent, depth + 1))
    return enclose('[', items, ']', indent, depth)
  }
  const items = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .map(([key, item]) => `${JSON.stringify(key)}: ${write(item, indent, depth + 1)}`)
  return enclose('{', items, '}', indent, depth)
}

function enclose(
  open: string,
  items: string[],
  close: string,
  indent: number | undefined,
  depth: number,
): string {
  if (indent === undefined || items.length === 0) return open + items.join(', ') + close
  const outer = `\n${' '.repeat(indent * depth)}`
  const inner = outer + ' '.repeat(indent)
  return open + inner + items.join(`,${inner}`) + outer + close
}
