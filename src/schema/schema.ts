import * as z from 'zod/mini'
import { describe } from '../errors/index.js'

// Pages forbid code made of text; zod would try, and the browser would report it.
z.config({ jitless: true })

export { z }

/** A description of values. */
export type Schema<Value = unknown> = z.ZodMiniType<Value>

/** What is wrong with a value. */
export interface Refusal {
  /** Where in it: names and indexes. */
  readonly path: readonly (string | number)[]
  /** The names there that mean nothing; empty where something else is wrong. */
  readonly unknown: readonly string[]
  /** What was expected there, in words. */
  readonly expected: string
  /** What is there, short enough for a message. */
  readonly found: string
}

/**
 * Compares a value with a description. A schema gives what it expects as its `error`, in words that follow "expected x to
 * be": `z.string({ error: 'a text' })`.
 * @returns the first thing that is wrong; a name that means nothing comes first, as it is the likeliest cause of others
 */
export function findRefusal(schema: Schema, value: unknown): Refusal | undefined {
  try {
    const { error } = schema.safeParse(value)
    return error && refusalOf(error.issues, value)
  } catch {
    // A getter, a proxy or a conversion of the caller's, which may throw anything.
    return { path: [], unknown: [], expected: 'a value that can be read', found: describe(value) }
  }
}

/** The first thing that is wrong with a value, of what a schema found. */
export function refusalOf(issues: readonly z.core.$ZodIssue[], value: unknown): Refusal {
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0]
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys : []
  return { path, unknown, expected: issue.message, found: describe(valueAt(value, path)) }
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<string | number, unknown> | null)?.[part], value)
}

/** A field that may be left out; other programs write null where it is absent. */
export function optional<Inner extends Schema>(schema: Inner) {
  return z.optional(z.nullable(schema))
}

/** Fields of an object, and no others. */
export function fields<Shape extends Readonly<Record<string, Schema>>>(shape: Shape) {
  return z.strictObject(shape, { error: 'an object' })
}

export const text = z.string({ error: 'a text' })
export const flag = z.boolean({ error: 'true or false' })

/** One of a few values. */
export function oneOf<const Values extends readonly string[]>(values: Values) {
  return z.enum(values, { error: `one of ${values.join(', ')}` })
}

/** A number that a condition accepts. */
export function number(accepts: (value: number) => boolean, expected: string) {
  return z.custom<number>((value) => typeof value === 'number' && accepts(value), { error: expected })
}

/** A whole number of a range. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER, expected?: string) {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`
  return number(
    (value) => Number.isSafeInteger(value) && value >= least && value <= most,
    expected ?? `a whole number ${range}`,
  )
}
