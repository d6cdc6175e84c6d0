import type { Progress } from '../checkpoint/index.js'
import {
  type ByteSource,
  isSourcePlace,
  openSource,
  type SourceLocation,
  showUrl,
} from '../checkpoint/index.js'
import { InputError } from '../errors/index.js'
import {
  signal as abortSignal,
  callback,
  checkArgument,
  checkOptions,
  type OptionShape,
  oneOf,
  opaque,
} from '../schema/index.js'
import { readCsv } from './read-csv.js'
import { readJsonLines, readJsonList } from './read-json.js'
import type { SourceRecord } from './records.js'
import { ENCODINGS, type TextEncodingName, TextReader } from './text.js'

/** A data file: where a checkpoint may lie, too, but one file; or a file of the browser. */
export type DataLocation = SourceLocation | File

export interface ReadOptions {
  /** How the file is written. Default: UTF-8. */
  readonly encoding?: TextEncodingName
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

/** What each of them takes. */
export const READ_SHAPE: OptionShape<ReadOptions> = {
  encoding: oneOf(ENCODINGS),
  signal: abortSignal,
  onProgress: callback,
}

const DATA_PLACE = opaque<DataLocation>(
  (value) => value instanceof File || isSourcePlace(value),
  'a path, a URL, a file or a source',
)

/** What to call a data file in messages about all of it. */
export function dataName(location: DataLocation): string {
  checkArgument('data', DATA_PLACE, location)
  if (typeof location === 'string' || location instanceof URL) return showUrl(location)
  return location instanceof File ? location.name : 'the data'
}

const CHUNK_BYTES = 4 * 1024 * 1024

/**
 * Reads the records of a data file as a stream: a JSON list, JSON lines, or CSV with a header by its ending `.csv`.
 * In CSV the columns `conversations`, `messages`, `history` and `tools` hold JSON. Numbers and the order of keys are as in
 * the file, see `parseJson`.
 * @throws `input.dataset` or `input.encoding` naming file and line, `source.failed` where the file cannot be read
 */
export async function* readRecords(
  location: DataLocation,
  options: ReadOptions = {},
): AsyncGenerator<SourceRecord> {
  checkOptions(READ_SHAPE, options)
  const { source, path } = await openDataFile(location)
  const pieces = textOf(source, path, options)
  if (/\.csv$/i.test(path)) return yield* readCsv(pieces, path)
  // A list or lines: files of lines are often called .json, too.
  const { first, all } = await peek(pieces)
  if (first === '')
    throw new InputError('input.dataset', `${path} is empty: expected a record on each line, or a JSON list.`)
  yield* first === '[' ? readJsonList(all, path) : readJsonLines(all, path)
}

async function openDataFile(location: DataLocation): Promise<{ source: ByteSource; path: string }> {
  checkArgument('data', DATA_PLACE, location)
  const source = await openSource(location instanceof File ? [location] : location)
  if (source.file !== undefined) return { source, path: source.file }
  throw new InputError(
    'input.dataset',
    `${source.name} is no data file: give a .json, .jsonl or .csv file, not a folder.`,
  )
}

async function* textOf(
  source: ByteSource,
  path: string,
  { signal, onProgress, encoding }: ReadOptions,
): AsyncGenerator<string> {
  const text = new TextReader(path, encoding)
  const size = await source.size(path, signal)
  for (let start = 0; start < size; start += CHUNK_BYTES) {
    const end = Math.min(size, start + CHUNK_BYTES)
    yield text.push(await source.read(path, start, end, signal))
    onProgress?.({ stage: 'reading', doneBytes: end, totalBytes: size })
  }
  text.end()
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
