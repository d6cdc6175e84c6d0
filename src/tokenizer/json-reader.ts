import { checkArgument, text as textSchema } from '../schema/index.js'
import { invalidJson } from './errors.js'

/**
 * A number that JSON text writes as a float although it is whole: `22.0`, `1e16`. It is a boxed `Number`, so that it
 * is told from the integer, counts as a number in arithmetic, and passes to a worker.
 */
export type WholeFloat = object & { valueOf(): number }

/**
 * What `parseJson` makes of JSON text. An integer beyond 2^53 is a bigint. An object is a `Map` where a plain object
 * would put its keys into another order, as JavaScript does with `{"10": …, "2": …}`.
 */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | WholeFloat
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }
  | ReadonlyMap<string, JsonValue>

/** Levels of objects and lists; a record with a tool's description has about ten. */
const MAX_DEPTH = 100
/** Objects, lists and what they hold: a list of empty objects takes twenty times the memory of its text. */
const MAX_VALUES = 2 ** 20
/** As in Python, which otherwise takes the square of their number. */
const MAX_DIGITS = 4300

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y

/**
 * Reads JSON text as `json.loads` of Python does: no number and no order of keys changes. See {@link JsonValue} for what
 * JavaScript cannot hold otherwise; `pythonJson` and `stringifyJson` write it as it was.
 *
 * @throws `input.json` for what is no JSON, a key given twice, more than 100 levels, or more than 2^20 values
 */
export function parseJson(text: string): JsonValue {
  checkArgument('text', textSchema, text)
  return new JsonReader(text).readAll()
}

class JsonReader {
  readonly #text: string
  #at = 0
  #values = 0

  constructor(text: string) {
    this.#text = text
  }

  readAll(): JsonValue {
    this.#skipSpace()
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('nothing behind the value')
    return value
  }

  #value(depth: number): JsonValue {
    if (++this.#values > MAX_VALUES) this.#fail(`at most ${MAX_VALUES} values`)
    if (depth > MAX_DEPTH) this.#fail(`at most ${MAX_DEPTH} levels of objects and lists`)
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === '{') return this.#object(depth + 1)
    if (first === '[') return this.#list(depth + 1)
    for (const [word, value] of WORDS) if (this.#take(word)) return value
    return this.#number()
  }

  #object(depth: number): JsonValue {
    const entries = new Map<string, JsonValue>()
    this.#items('}', () => {
      const start = this.#at
      if (this.#text[start] !== '"') this.#fail('a key in double quotes')
      const key = this.#string()
      if (entries.has(key)) this.#fail('no key twice', start)
      this.#skipSpace()
      if (!this.#take(':')) this.#fail('":"')
      this.#skipSpace()
      entries.set(key, this.#value(depth))
    })
    const object = Object.fromEntries(entries)
    const keys = entries.keys()
    return Object.keys(object).every((key) => key === keys.next().value) ? object : entries
  }

  #list(depth: number): JsonValue {
    const items: JsonValue[] = []
    this.#items(']', () => items.push(this.#value(depth)))
    return items
  }

  /** What stands between the bracket that is next and the one that closes it. */
  #items(close: string, read: () => void): void {
    this.#at++
    this.#skipSpace()
    if (this.#take(close)) return
    for (;;) {
      read()
      this.#skipSpace()
      if (this.#take(close)) return
      if (!this.#take(',')) this.#fail(`"," or "${close}"`)
      this.#skipSpace()
    }
  }

  #string(): string {
    const text = this.#text
    const start = this.#at
    let end = start + 1
    let plain = true
    for (; end < text.length; end++) {
      const unit = text.charCodeAt(end)
      if (unit === 0x22) break
      if (unit < 0x20) this.#fail('no control character in a text', end)
      if (unit !== 0x5c) continue
      plain = false
      end++
    }
    if (end >= text.length) this.#fail('the end of this text', start)
    this.#at = end + 1
    if (plain) return text.slice(start + 1, end)
    try {
      return JSON.parse(text.slice(start, end + 1)) as string
    } catch {
      return this.#fail('no other escapes than those of JSON', start)
    }
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at
    const found = NUMBER.exec(this.#text)
    if (!found) return this.#fail('a value')
    const [digits, fraction, exponent] = found
    if (digits.length > MAX_DIGITS) this.#fail(`at most ${MAX_DIGITS} digits`)
    this.#at += digits.length
    const value = Number(digits)
    if (fraction === undefined && exponent === undefined) {
      // An integer has no negative zero.
      return Number.isSafeInteger(value) ? value + 0 : BigInt(digits)
    }
    const isWhole = Number.isInteger(value) && !Object.is(value, -0)
    return isWhole ? (Object(value) as WholeFloat) : value
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false
    this.#at += word.length
    return true
  }

  #fail(expected: string, position = this.#at): never {
    throw invalidJson(this.#text, position, expected)
  }
}

const WORDS: readonly (readonly [string, JsonValue])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
]
