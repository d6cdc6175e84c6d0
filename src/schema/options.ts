import { invalidOption, OptionError } from '../errors/index.js'
import { findRefusal, type Schema, z } from './schema.js'

/** The options of a call: what each takes, in words and as a check. A new option is a line in its call's description. */
export type OptionShape<Options> = { readonly [Name in keyof Required<Options>]: Schema }

/** Descriptions are made into one schema when they are first used. */
const schemas = new WeakMap<object, Schema>()

function schemaOf(shape: Readonly<Record<string, Schema>>): Schema {
  let schema = schemas.get(shape)
  if (!schema) {
    const optional = Object.entries(shape).map(([name, inner]) => [name, z.optional(inner)] as const)
    schema = z.strictObject(Object.fromEntries(optional), { error: 'an object' })
    schemas.set(shape, schema)
  }
  return schema
}

/**
 * Checks the options of a call. None is left out in silence: one that is not known may be the one that mattered.
 * @param aliases what other programs call them
 * @throws `option.invalid` naming the option, and what is accepted
 */
export function checkOptions<Options extends object>(
  shape: OptionShape<Options>,
  options: Options,
  aliases: Readonly<Record<string, string>> = {},
): void {
  const refusal = findRefusal(schemaOf(shape), options)
  if (!refusal) return
  const { path, unknown, expected, found } = refusal
  const [name] = unknown
  if (name !== undefined && path.length > 0) {
    const inner = [...path, name]
    throw invalidOption(optionName(inner), valueAt(options, inner), 'no option of that name')
  }
  if (name !== undefined) {
    const known = Object.keys(shape)
    const meant = Object.hasOwn(aliases, name) ? aliases[name] : known.find((one) => same(one, name))
    const advice = meant ? `write ${meant}` : `there are ${known.join(', ')}`
    throw invalidOption(name, (options as Record<string, unknown>)[name], `no option of that name; ${advice}`)
  }
  if (path.length === 0) {
    const details = { option: 'options', value: found, expected }
    throw new OptionError('option.invalid', `The options are ${found}; expected ${expected}.`, { details })
  }
  throw invalidOption(optionName(path), valueAt(options, path), expected)
}

/**
 * Checks an argument of a call that is no option.
 * @throws `option.invalid` naming the argument, and what is accepted
 */
export function checkArgument(name: string, schema: Schema, value: unknown): void {
  const refusal = findRefusal(schema, value)
  if (!refusal) return
  const { path, unknown, expected } = refusal
  const whole = unknown.length > 0 ? [name, ...path, unknown[0]] : [name, ...path]
  const given = path.length === 0 && unknown.length === 0 ? value : valueAt({ [name]: value }, whole)
  throw invalidOption(optionName(whole), given, unknown.length > 0 ? 'no option of that name' : expected)
}

/** `maxTokens` for `max_tokens`. */
function same(known: string, given: string): boolean {
  return known.toLowerCase() === given.replaceAll(/[_-]/g, '').toLowerCase()
}

function optionName([first, ...rest]: readonly (string | number)[]): string {
  const inner = (part: string | number) =>
    /^[a-z_]\w*$/i.test(String(part)) ? `.${part}` : `[${String(part).slice(0, 40)}]`
  return `${first}${rest.map(inner).join('')}`
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<string | number, unknown> | null)?.[part], value)
}

/** A value that only its maker can check: a handle, a place, a callback. A promise is none: it was not waited for. */
export function opaque<Value>(isOne: (value: unknown) => boolean, expected: string): Schema<Value> {
  return z.custom<Value>((value) => !isPromise(value) && isOne(value), { error: expected })
}

/** What an `await` would wait for. */
function isPromise(value: unknown): boolean {
  return isObject(value) && typeof (value as Partial<Promise<unknown>>).then === 'function'
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** An object with some methods. */
export function withMethods<Value>(names: readonly string[], expected: string): Schema<Value> {
  const hasAll = (value: object) =>
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  return opaque((value) => isObject(value) && hasAll(value), expected)
}

export const bytes = opaque<Uint8Array>((value) => value instanceof Uint8Array, 'bytes, in a Uint8Array')

export const callback = opaque<(...args: never[]) => unknown>(
  (value) => typeof value === 'function',
  'a function',
)
export const anObject = opaque<object>(isObject, 'an object')
export const signal = opaque<AbortSignal>(
  (value) =>
    isObject(value) &&
    typeof (value as AbortSignal).aborted === 'boolean' &&
    typeof (value as AbortSignal).addEventListener === 'function',
  'an AbortSignal',
)

/** A list whose items are checked, too. */
export function listOf<Item extends Schema>(item: Item, expected: string) {
  return z.array(item, { error: expected })
}
