import { isDeepStrictEqual } from 'node:util'
import type { Message } from '../index.js'
import { CommandError } from './errors.js'
import type { Library } from './library.js'

/** A record of the input. */
export interface InputRecord {
  /** Its line in the input, from 1. */
  readonly line: number
  readonly fields: Fields
  /** A conversation, or a single text. */
  readonly prompt: string | readonly Message[]
}

/** The fields of a record in their order, with what stood in them: no number changes on the way to the output. */
type Fields = ReadonlyMap<string, unknown>

/** What is added to a record: the answer, or why there is none. */
export type Generated =
  | { readonly generated: string; readonly finishReason: string }
  | { readonly generated: null; readonly finishReason: 'error'; readonly error: string }

const ADDED = ['generated', 'finishReason', 'error']

type DataLibrary = Pick<Library, 'parseJson' | 'parseQuestion' | 'parseRawQuestion' | 'stringifyJson'>

/**
 * Reads JSON lines; empty ones do not count.
 * @param name what to call the input in an error
 * @param raw whether texts are wanted and no conversations
 * @throws CommandError or `input.dataset` naming the line and what was expected in it
 */
export function parseRecords(library: DataLibrary, text: string, name: string, raw: boolean): InputRecord[] {
  const records: InputRecord[] = []
  for (const [index, source] of text.split('\n').entries()) {
    if (source.trim() === '') continue
    const where = `${name}, line ${index + 1}`
    const fields = parseFields(library, source, where)
    const record = { value: fields, where }
    const prompt = raw ? library.parseRawQuestion(record) : library.parseQuestion(record)
    records.push({ line: index + 1, fields, prompt })
  }
  if (records.length === 0)
    throw new CommandError(`${name} has no records: expected a JSON object on each line.`)
  return records
}

function parseFields(library: DataLibrary, source: string, where: string): Fields {
  let value: unknown
  try {
    value = library.parseJson(source)
  } catch (error) {
    throw new CommandError(
      `${where}: expected a JSON object, but it is no JSON (${(error as Error).message}).`,
    )
  }
  if (value instanceof Map) return value
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Number)) {
    return new Map(Object.entries(value))
  }
  throw new CommandError(`${where}: expected a JSON object, found ${source.trim().slice(0, 60)}.`)
}

export function formatRecord(
  { stringifyJson }: DataLibrary,
  { fields }: InputRecord,
  generated: Generated,
): string {
  const kept = [...fields].filter(([name]) => !ADDED.includes(name))
  return stringifyJson(new Map([...kept, ...Object.entries(generated)]))
}

/**
 * Checks that lines written by an earlier run belong to the first records of the input.
 * @param written complete lines
 * @param name what to call the output in an error
 * @returns the indexes of records that have no answer in them
 * @throws CommandError naming the first line that does not
 */
export function checkWritten(
  library: DataLibrary,
  written: readonly string[],
  records: readonly InputRecord[],
  name: string,
): number[] {
  const advice = 'It is the output of another input, or was changed; name another file.'
  if (written.length > records.length) {
    throw new CommandError(
      `${name} has ${written.length} records, but the input has only ${records.length}. ${advice}`,
    )
  }
  const failed: number[] = []
  for (const [index, source] of written.entries()) {
    const where = `${name}, line ${index + 1}`
    const fields = parseFields(library, source, where)
    const isFailure = fields.get('finishReason') === 'error'
    const isAnswer = typeof fields.get('generated') === 'string' || isFailure
    if (!isAnswer || !isDeepStrictEqual(withoutAdded(fields), withoutAdded(records[index].fields))) {
      throw new CommandError(
        `${where} does not belong to line ${records[index].line} of the input. ${advice}`,
      )
    }
    if (isFailure) failed.push(index)
  }
  return failed
}

function withoutAdded(fields: Fields): Fields {
  return new Map([...fields].filter(([name]) => !ADDED.includes(name)))
}
