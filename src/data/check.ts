import { describe, InputError, lookAt } from '../errors/index.js'
import { checkArgument, findRefusal, opaque, type Schema, type z } from '../schema/index.js'
import type { SourceRecord } from './records.js'

type Fields = Readonly<Record<string, unknown>>

/** What a call takes as a record. */
const RECORD = opaque<SourceRecord>(
  (value) => typeof (value as SourceRecord | null)?.where === 'string' && 'value' in (value as object),
  '{ value, where }',
)

/**
 * Makes something of a record that a caller gives.
 * @throws `option.invalid` for what is no record, `input.dataset` for one that cannot be read, and what `read` throws
 */
export function ofRecord<T>(record: SourceRecord, read: (record: SourceRecord) => T): T {
  checkArgument('record', RECORD, record)
  const { where } = record
  return lookAt(
    (cause) => unreadable(where, cause),
    () => read(record),
  )
}

function unreadable(where: string, cause: unknown): InputError {
  return new InputError('input.dataset', `${where}: the record cannot be read.`, { cause })
}

/** Whether a value of JSON is an object, neither a list nor a number. */
export function isFields(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Number)
}

/**
 * The fields of an object as a plain object: of JSON it may be a `Map`, see `parseJson`.
 * @throws `input.dataset` for anything else
 */
export function fieldsOf(value: unknown, where: string): Fields {
  if (isFields(value)) return value instanceof Map ? Object.fromEntries(value) : (value as Fields)
  throw refuse(where, 'a JSON object', describe(value))
}

/** A record is not what was expected. */
export function refuse(where: string, expected: string, found?: string, advice = ''): InputError {
  const what = found === undefined ? expected : `${expected}, found ${found}`
  return new InputError('input.dataset', `${where}: expected ${what}.${advice && ` ${advice}`}`)
}

/**
 * A value that fits its description.
 * @param advice what to write instead of names that mean nothing, by name
 * @throws `input.dataset` naming the field, or the fields that mean nothing
 */
export function check<Value>(
  schema: Schema<Value>,
  value: unknown,
  where: string,
  advice: Readonly<Record<string, string>> = {},
): Value {
  const refusal = findRefusal(schema, value)
  if (!refusal) return value as Value
  const { path, unknown, expected, found } = refusal
  if (unknown.length > 0) {
    const names = unknown.slice(0, 8).map((name) => name.slice(0, 40))
    const hints = unknown.flatMap((name) => (Object.hasOwn(advice, name) ? [advice[name]] : []))
    throw new InputError(
      'input.dataset',
      `${where}: ${names.join(', ')}: no such field is known here, and none is left out in silence. ` +
        (hints.length > 0 ? hints.join(' ') : `Known are ${knownFields(schema).join(', ')}.`),
    )
  }
  throw refuse(where, path.length === 0 ? expected : `${path.join('.')} to be ${expected}`, found)
}

function knownFields(schema: Schema): readonly string[] {
  return Object.keys((schema as unknown as z.ZodMiniObject).def.shape)
}
