import { hasCode, InputError } from '../errors/index.js'
import { type JsonValue, parseJson } from '../tokenizer/index.js'
import type { SourceRecord } from './records.js'

/** Characters of a record: a hundred times what a model can learn from. What is longer is no file of records. */
export const MAX_RECORD = 4 * 1024 * 1024

export const TOO_LONG = `more than ${MAX_RECORD} characters`

/**
 * Parses JSON that stands in a file.
 * @param what was expected: `a JSON object on a line of its own`
 * @param line of the file in which the text begins
 * @throws `input.dataset` naming file and line
 */
export function parseJsonAt(text: string, what: string, path: string, line: number): JsonValue {
  if (text.length > MAX_RECORD) throw noJson(what, `it has ${TOO_LONG}`, path, line)
  try {
    return parseJson(text)
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
    const { position, expected, found } = error.details
    const at = line + text.slice(0, position).split('\n').length - 1
    throw noJson(what, `expected ${expected}, found ${found}`, path, at, error)
  }
}

function noJson(what: string, why: string, path: string, line: number, cause?: unknown) {
  return new InputError(
    'input.dataset',
    `${path}, line ${line}: expected ${what}, but it is no JSON (${why}).`,
    { cause },
  )
}

/** The records of JSON lines; empty lines are none. */
export async function* readJsonLines(
  pieces: AsyncIterable<string>,
  path: string,
): AsyncGenerator<SourceRecord> {
  let line = 0
  let begun: string[] = []
  let length = 0
  const parse = (text: string): SourceRecord[] => {
    line++
    if (text.length <= MAX_RECORD && text.trim() === '') return []
    const value = parseJsonAt(text, 'a JSON object on a line of its own', path, line)
    return [{ value, where: `${path}, line ${line}` }]
  }
  for await (const piece of pieces) {
    const [first, ...others] = piece.split('\n')
    begun.push(first)
    length += first.length
    if (others.length > 0) {
      yield* parse(begun.join(''))
      const last = others.pop()!
      for (const text of others) yield* parse(text)
      begun = [last]
      length = last.length
    }
    // A line that does not end is not read to the end.
    if (length > MAX_RECORD) break
  }
  yield* parse(begun.join(''))
}

/** The items of one JSON list, which need not be in memory at once. */
export async function* readJsonList(
  pieces: AsyncIterable<string>,
  path: string,
): AsyncGenerator<SourceRecord> {
  const splitter = new ListSplitter(path)
  for await (const piece of pieces) yield* splitter.push(piece)
  splitter.end()
}

const [TAB, LINE_BREAK, RETURN, SPACE] = [0x09, 0x0a, 0x0d, 0x20]
const [QUOTE, COMMA, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [...'",\\[]{}'].map(
  (character) => character.charCodeAt(0),
)

/** Finds where the items of a list begin and end; what is in them, `parseJson` finds out. */
class ListSplitter {
  readonly #path: string
  /** Brackets that are open; 1 between the items. */
  #depth = 0
  #inString = false
  #escaped = false
  #ended = false
  #line = 1
  /** What came of the item in earlier pieces, and the line in which it began, 0 before it has. */
  #begun = ''
  #begunLine = 0
  /** Whether another item must follow: there was a comma. */
  #wantsItem = false

  constructor(path: string) {
    this.#path = path
  }

  *push(piece: string): Generator<SourceRecord> {
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const unit = piece.charCodeAt(at)
      if (unit === LINE_BREAK) this.#line++
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false
        else if (unit === BACKSLASH) this.#escaped = true
        else if (unit === QUOTE) this.#inString = false
        continue
      }
      if (unit === SPACE || unit === LINE_BREAK || unit === RETURN || unit === TAB) continue
      if (this.#ended) throw this.#fail('there is something behind it')
      const isBetween = this.#depth === 1 && (unit === COMMA || unit === CLOSE_LIST || unit === CLOSE_OBJECT)
      if (isBetween) {
        const text = this.#begun + piece.slice(start, at)
        const isEmpty = unit === CLOSE_LIST && this.#begunLine === 0 && !this.#wantsItem
        if (!isEmpty) yield this.#item(text)
        this.#begun = ''
        this.#begunLine = 0
        this.#wantsItem = unit === COMMA
        start = at + 1
        if (unit !== COMMA) this.#ended = true
        continue
      }
      if (this.#depth > 0 && this.#begunLine === 0) {
        this.#begunLine = this.#line
        start = at
      }
      if (unit === QUOTE) this.#inString = true
      else if (unit === OPEN_LIST || unit === OPEN_OBJECT) this.#depth++
      else if (unit === CLOSE_LIST || unit === CLOSE_OBJECT) this.#depth--
    }
    if (this.#begunLine === 0) return
    this.#begun += piece.slice(start)
    if (this.#begun.length > MAX_RECORD) throw this.#fail(`a record has ${TOO_LONG}`)
  }

  end(): void {
    if (!this.#ended) throw this.#fail('it does not end')
  }

  #item(text: string): SourceRecord {
    const line = this.#begunLine || this.#line
    return {
      value: parseJsonAt(text, 'a JSON list of records', this.#path, line),
      where: `${this.#path}, line ${line}`,
    }
  }

  #fail(why: string): InputError {
    return noJson('a JSON list of records', why, this.#path, this.#line)
  }
}
