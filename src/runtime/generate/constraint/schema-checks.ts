export type SchemaObject = Readonly<Record<string, unknown>>

/** What says something of a schema and nothing of values. */
const ANNOTATIONS = [
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
]
/** What limits values of one type, by type. */
export const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['pattern', 'format', 'minLength', 'maxLength'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
}
/** What stands alone, beside annotations and perhaps a type. */
const WHOLE = ['$ref', 'enum', 'const', 'anyOf', 'oneOf', 'allOf'] as const

/** What is wrong with a schema. */
export class SchemaProblem extends Error {
  /** @param path JSON pointer to where it stands */
  constructor(
    readonly path: string,
    readonly what: unknown,
    readonly expected: string,
  ) {
    super(`${path} is ${what}; expected ${expected}`)
  }
}

/** Refuses a part of a schema. @param path JSON pointer to where it stands */
export function refuse(path: string, what: unknown, expected: string): never {
  throw new SchemaProblem(path, what, expected)
}

/** Takes a schema as an object. */
export function schemaObject(schema: unknown, path: string): SchemaObject {
  if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema as SchemaObject
  return refuse(path, JSON.stringify(schema) ?? typeof schema, 'a schema: an object, or true')
}

/** The keyword that a schema rests on, if there is one. @throws SchemaProblem for keywords that no grammar can hold */
export function wholeKeyword(schema: SchemaObject, path: string): (typeof WHOLE)[number] | undefined {
  const known = [...ANNOTATIONS, ...WHOLE, 'type', ...Object.values(KEYWORDS).flat()]
  const unknown = Object.keys(schema).find((key) => !known.includes(key))
  if (unknown !== undefined) {
    refuse(
      path,
      `a schema with "${unknown}"`,
      'only keywords that a grammar can hold; see docs/structured-output.md',
    )
  }
  const [whole, second] = WHOLE.filter((key) => key in schema)
  if (whole === undefined) return undefined
  const beside =
    second ??
    Object.values(KEYWORDS)
      .flat()
      .find((key) => key in schema)
  if (beside !== undefined) {
    refuse(
      path,
      `a schema with "${whole}" and "${beside}"`,
      `"${beside}" inside of "${whole}", or one of the two`,
    )
  }
  return whole
}

/** The types that a schema names, or that its keywords are about; none where it says nothing of either. */
export function typesOf(schema: SchemaObject, path: string): readonly string[] {
  const { type } = schema
  if (type !== undefined) {
    const types = Array.isArray(type) ? (type as unknown[]) : [type]
    const wrong = types.find((one) => typeof one !== 'string' || !(one in KEYWORDS))
    if (wrong !== undefined || types.length === 0) {
      refuse(
        `${path}/type`,
        JSON.stringify(wrong ?? type),
        `one or more of ${Object.keys(KEYWORDS).join(', ')}`,
      )
    }
    return types as string[]
  }
  return ['object', 'array', 'string', 'number'].filter((one) => KEYWORDS[one].some((key) => key in schema))
}

export function typeOfValue(value: unknown): readonly string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number']
  return [typeof value]
}

/** A limit that counts something. */
export function countLimit(
  schema: SchemaObject,
  key: string,
  path: string,
  most: number,
): number | undefined {
  const value = schema[key]
  if (value === undefined) return undefined
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most)
    return value as number
  return refuse(`${path}/${key}`, value, `a whole number from 0 to ${most}`)
}

/** A limit that is a number. */
export function numberLimit(schema: SchemaObject, key: string, path: string): number | undefined {
  const value = schema[key]
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value
  return refuse(`${path}/${key}`, value, 'a number')
}

/** Whether no value can satisfy two schemas, as far as their types, constants and one required constant tell. */
export function areDisjoint(a: unknown, b: unknown): boolean {
  const [left, right] = [a, b] as SchemaObject[]
  if (![a, b].every((one) => typeof one === 'object' && one !== null)) return false
  const [leftValues, rightValues] = [constants(left), constants(right)]
  if (leftValues && rightValues) return !leftValues.some((value) => rightValues.includes(value))
  const [leftTypes, rightTypes] = [valueTypes(left), valueTypes(right)]
  if (leftTypes && rightTypes && !leftTypes.some((type) => rightTypes.includes(type))) return true
  const [leftProperties, rightProperties] = [requiredConstants(left), requiredConstants(right)]
  return Object.entries(leftProperties).some(([name, values]) => {
    const others = rightProperties[name]
    return others !== undefined && !values.some((value) => others.includes(value))
  })
}

function constants(schema: SchemaObject): readonly string[] | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined
}

/** The types of values of a schema, whole numbers as numbers. */
function valueTypes(schema: SchemaObject): readonly string[] | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum
  const types = Array.isArray(values) ? values.flatMap(typeOfValue) : schema.type
  if (types === undefined) return undefined
  return (Array.isArray(types) ? types : [types]).map((type) => (type === 'integer' ? 'number' : type))
}

function requiredConstants({
  properties,
  required,
}: SchemaObject): Readonly<Record<string, readonly string[]>> {
  if (typeof properties !== 'object' || properties === null || !Array.isArray(required)) return {}
  const entries = Object.entries(properties).flatMap(([name, schema]) => {
    const values = required.includes(name) && typeof schema === 'object' ? constants(schema ?? {}) : undefined
    return values ? [[name, values] as const] : []
  })
  return Object.fromEntries(entries)
}
