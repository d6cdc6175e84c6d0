import { InputError } from '../errors/index.js'
import { MAX_RECORD, parseJsonAt, TOO_LONG } from './read-json.js'
import type { SourceRecord } from './records.js'

/** Columns whose cells are JSON. */
const JSON_COLUMNS = ['conversations', 'messages', 'history', 'tools']

/** The rows of CSV with a line of column names first. */
export async function* readCsv(pieces: AsyncIterable<string>, path: string): AsyncGenerator<SourceRecord> {
  // This distribution works in Node, too; the default one only there.
  const { parse } = await import('csv-parse/browser/esm')
  let names: readonly string[] | undefined
  let found: SourceRecord[] = []
  // What is thrown by `on_record` ends the parser as its own errors do, so it is kept.
  let refusal: unknown
  const onRow = (row: readonly string[], line: number) => {
    if (names) found.push(recordOf(names, row, path, line))
    else names = columnNames(row, path)
  }
  const parser = parse({
    skip_empty_lines: true,
    // To find it out by itself takes the parser ten times as long in a line without an end.
    record_delimiter: ['\r\n', '\n', '\r'],
    on_record: (row: string[], { lines }) => {
      try {
        if (refusal === undefined) onRow(row, lines)
      } catch (error) {
        refusal = error
      }
      return null
    },
  })
  // Characters since the last record ended, but for those of the piece in which it did.
  let length = 0
  const step = (act: (done: () => void) => void) =>
    new Promise<void>((resolve, reject) => {
      const refuse = ({ message }: Error) =>
        reject(
          new InputError(
            'input.dataset',
            `${path}: expected CSV with a line of column names first. ${message}.`,
          ),
        )
      parser.once('error', refuse)
      act(() => {
        parser.removeListener('error', refuse)
        resolve()
      })
    })
  const take = function* () {
    yield* found
    found = []
    if (refusal !== undefined) throw refusal
  }
  let isEmpty = true
  for await (const piece of pieces) {
    if (piece === '') continue
    isEmpty = false
    await step((done) => parser.write(piece, done))
    length = found.length > 0 ? 0 : length + piece.length
    if (length > MAX_RECORD) {
      throw new InputError(
        'input.dataset',
        `${path}: a record has ${TOO_LONG}. Is there a quote that does not end?`,
      )
    }
    yield* take()
  }
  // The parser fails where it was given nothing.
  if (isEmpty) return
  await step((done) => parser.end(done))
  yield* take()
}

function columnNames(row: readonly string[], path: string): readonly string[] {
  const twice = row.find((name, index) => row.indexOf(name) !== index)
  if (twice === undefined) return row
  throw new InputError(
    'input.dataset',
    `${path}, line 1: the column ${JSON.stringify(twice)} is there twice.`,
  )
}

function recordOf(
  names: readonly string[],
  row: readonly string[],
  path: string,
  line: number,
): SourceRecord {
  const cells = names.map((name, index): [string, unknown] => {
    const cell = row[index]
    if (!JSON_COLUMNS.includes(name)) return [name, cell]
    return [name, cell.trim() === '' ? undefined : parseJsonAt(cell, `${name} to hold JSON`, path, line)]
  })
  return { value: Object.fromEntries(cells), where: `${path}, line ${line}` }
}
