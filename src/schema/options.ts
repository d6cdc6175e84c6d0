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

/** `maxTokens` for `max_tokens`. */
function same(known: string, given: string): boolean {
  return known.toLowerCase() === given.replaceAll(/[_-]/g, '').toLowerCase()
}

function optionName([first, ...rest]: readonly (string | number)[]): string {
  return `${first}${rest.map((part) => `[${String(part).slice(0, 40)}]`).join('')}`
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<string | number, unknown> | null)?.[part], value)
}

/** A value that only its maker can check: a handle, a place, a callback. */
export function opaque<Value>(isOne: (value: unknown) => boolean, expected: string): Schema<Value> {
  return z.custom<Value>(isOne, { error: expected })
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

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
