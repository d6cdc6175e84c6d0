import type { Progress } from '../checkpoint/index.js'
import {
  type ByteSource,
  findJsonExcess,
  openSource,
  type SourceLocation,
  showUrl,
} from '../checkpoint/index.js'
import { InputError } from '../errors/index.js'
import { describe } from './describe.js'
import type { SourceRecord } from './records.js'

/** A data file: where a checkpoint may lie, too, but one file; or a file of the browser. */
export type DataLocation = SourceLocation | File

export interface ReadOptions {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** What to call a data file in messages about all of it. */
export function dataName(location: DataLocation): string {
  if (typeof location === 'string' || location instanceof URL) return showUrl(location)
  return location instanceof File ? location.name : 'the data'
}

const CHUNK_BYTES = 4 * 1024 * 1024
/** Characters of a record: a hundred times what a model can learn from. What is longer is no file of records. */
const MAX_RECORD = 4 * 1024 * 1024

/**
 * Parses JSON that stands in a record.
 * @throws Error that says what is wrong with it
 */
function parseJson(text: string): unknown {
  const excess = text.length > MAX_RECORD ? TOO_LONG : findJsonExcess(text)
  if (excess !== undefined) throw new Error(`there is ${excess}`)
  return JSON.parse(text)
}

const TOO_LONG = `more than ${MAX_RECORD} characters`
/** As in a record of JSON lines. */
const MAX_DEPTH = 100

/**
 * Reads the records of a data file as a stream: a JSON list, JSON lines, or CSV with a header by its ending `.csv`.
 * In CSV the columns `conversations` and `tools` hold JSON.
 * @throws `input.dataset` naming file and line, `source.failed` where the file cannot be read
 */
export async function* readRecords(
  location: DataLocation,
  options: ReadOptions = {},
): AsyncGenerator<SourceRecord> {
  const { source, path } = await openDataFile(location)
  const pieces = decodeText(source, path, options)
  if (/\.csv$/i.test(path)) return yield* readCsv(pieces, path)
  // A list or lines: files of lines are often called .json, too.
  const { first, all } = await peek(pieces)
  if (first === '')
    throw new InputError('input.dataset', `${path} is empty: expected a record on each line, or a JSON list.`)
  yield* first === '[' ? readJsonList(all, path) : readJsonLines(all, path)
}

async function openDataFile(location: DataLocation): Promise<{ source: ByteSource; path: string }> {
  const source = await openSource(location instanceof File ? [location] : location)
  if (source.file !== undefined) return { source, path: source.file }
  throw new InputError(
    'input.dataset',
    `${source.name} is no data file: give a .json, .jsonl or .csv file, not a folder.`,
  )
}

async function* decodeText(
  source: ByteSource,
  path: string,
  { signal, onProgress }: ReadOptions,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const size = await source.size(path, signal)
  const decode = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch (error) {
      throw new InputError('input.dataset', `${path} is no UTF-8 text: save it as UTF-8.`, { cause: error })
    }
  }
  for (let start = 0; start < size; start += CHUNK_BYTES) {
    const end = Math.min(size, start + CHUNK_BYTES)
    yield decode(await source.read(path, start, end, signal))
    onProgress?.({ stage: 'reading', doneBytes: end, totalBytes: size })
  }
  yield decode()
}

/** The first character that is no space, and the text from its beginning on. */
async function peek(pieces: AsyncGenerator<string>): Promise<{ first: string; all: AsyncGenerator<string> }> {
  const before: string[] = []
  let first = ''
  while (first === '') {
    const { value, done } = await pieces.next()
    if (done) break
    before.push(value)
    first = value.trimStart().slice(0, 1)
  }
  async function* all(): AsyncGenerator<string> {
    yield* before
    yield* pieces
  }
  return { first, all: all() }
}

async function* readJsonLines(pieces: AsyncIterable<string>, path: string): AsyncGenerator<SourceRecord> {
  let line = 0
  let begun: string[] = []
  let length = 0
  const parse = (text: string): SourceRecord[] => {
    line++
    if (text.length <= MAX_RECORD && text.trim() === '') return []
    const where = `${path}, line ${line}`
    try {
      return [{ value: parseJson(text), where }]
    } catch (error) {
      throw new InputError(
        'input.dataset',
        `${where}: expected a JSON object on a line of its own, but it is no JSON (${(error as Error).message}).`,
        { cause: error },
      )
    }
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

async function* readJsonList(pieces: AsyncIterable<string>, path: string): AsyncGenerator<SourceRecord> {
  const { JSONParser, TokenType } = await import('@streamparser/json')
  const parser = new JSONParser({ paths: ['$.*'], keepStack: false })
  let line = 1
  let depth = 0
  let begun = 1
  let found: SourceRecord[] = []
  parser.onToken = ({ token }) => {
    const closes = token === TokenType.RIGHT_BRACE || token === TokenType.RIGHT_BRACKET
    if (depth === 1 && !closes && token !== TokenType.COMMA) begun = line
    if (token === TokenType.LEFT_BRACE || token === TokenType.LEFT_BRACKET) depth++
    // What is thrown here comes back by onError, and ends the work on the piece.
    if (depth > MAX_DEPTH) throw new Error(`there are more than ${MAX_DEPTH} levels of objects and lists`)
    if (closes) depth--
  }
  parser.onValue = ({ value }) => {
    found.push({ value, where: `${path}, line ${begun}` })
    length = 0
  }
  // Characters since the last record ended, but for those of the piece in which it did.
  let length = 0
  let failure: Error | undefined
  parser.onError = (error) => {
    failure ??= error
  }
  const fail = () => {
    const why = failure ? ` (${failure.message})` : ''
    return new InputError(
      'input.dataset',
      `${path}, line ${line}: expected a JSON list of records, but it is no JSON${why}.`,
      {
        cause: failure,
      },
    )
  }
  for await (const piece of pieces) {
    for (const [index, text] of piece.split('\n').entries()) {
      if (index > 0) {
        parser.write('\n')
        line++
      }
      // After the end of the list the parser takes nothing more, not even the last line break.
      if (parser.isEnded && text.trim() !== '') throw fail()
      const before = found.length
      if (!parser.isEnded) parser.write(text)
      if (found.length === before) length += text.length
      if (length > MAX_RECORD) failure ??= new Error(`a record has ${TOO_LONG}`)
      if (failure) throw fail()
    }
    yield* found
    found = []
  }
  if (!parser.isEnded) throw fail()
}

/** Columns whose cells are JSON. */
const JSON_COLUMNS = ['conversations', 'tools']

async function* readCsv(pieces: AsyncIterable<string>, path: string): AsyncGenerator<SourceRecord> {
  // This distribution works in Node, too; the default one only there.
  const { parse } = await import('csv-parse/browser/esm')
  let found: SourceRecord[] = []
  const parser = parse({
    columns: true,
    skip_empty_lines: true,
    // To find it out by itself takes the parser ten times as long in a line without an end.
    record_delimiter: ['\r\n', '\n', '\r'],
    on_record: (record: Record<string, string>, { lines }) => {
      const where = `${path}, line ${lines}`
      found.push({ value: withJsonCells(record, where), where })
      return null
    },
  })
  // Characters since the last record ended, but for those of the piece in which it did.
  let length = 0
  // What the parser throws, and not what the file's source or a record in it does.
  let refused: unknown
  const step = (act: (done: () => void) => void) =>
    new Promise<void>((resolve, reject) => {
      const refuse = (error: unknown) => {
        refused = error
        reject(error)
      }
      parser.once('error', refuse)
      act(() => {
        parser.removeListener('error', refuse)
        resolve()
      })
    })
  try {
    for await (const piece of pieces) {
      await step((done) => parser.write(piece, done))
      length = found.length > 0 ? 0 : length + piece.length
      if (length > MAX_RECORD) {
        throw new InputError(
          'input.dataset',
          `${path}: a record has ${TOO_LONG}. Is there a quote that does not end?`,
        )
      }
      yield* found
      found = []
    }
    await step((done) => parser.end(done))
    yield* found
  } catch (error) {
    if (error !== refused) throw error
    const { message } = error as Error
    throw new InputError(
      'input.dataset',
      `${path}: expected CSV with a line of column names first. ${message}.`,
      {
        cause: error,
      },
    )
  }
}

function withJsonCells(record: Record<string, string>, where: string): Record<string, unknown> {
  const value: Record<string, unknown> = { ...record }
  for (const column of JSON_COLUMNS) {
    const cell = record[column]
    if (cell === undefined) continue
    try {
      value[column] = cell.trim() === '' ? undefined : parseJson(cell)
    } catch (error) {
      throw new InputError(
        'input.dataset',
        `${where}: expected ${column} to hold JSON, found ${describe(cell)}.`,
        {
          cause: error,
        },
      )
    }
  }
  return value
}
