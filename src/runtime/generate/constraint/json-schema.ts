import { invalidOption } from '../../../errors/index.js'
import { literal, oneOf, repeated } from './ebnf.js'
import { numberGrammar } from './json-numbers.js'
import { anyCharacter, JSON_NOTATION, type Notation, stringOf, valueRules } from './notation.js'
import { PatternProblem, patternGrammar } from './pattern.js'
import {
  areDisjoint,
  countLimit,
  numberLimit,
  refuse,
  type SchemaObject,
  SchemaProblem,
  schemaObject,
  typeOfValue,
  typesOf,
  wholeKeyword,
} from './schema-checks.js'
import { FORMATS } from './strings.js'

/** The largest schema, in characters of JSON. */
const MOST_SCHEMA = 65_536
const MOST_NODES = 2000
const MOST_DEPTH = 48
/** The largest grammar that a schema may become. */
const MOST_GRAMMAR = 1_000_000
/** The most items, characters or properties that a limit may name. */
const MOST_COUNT = 10_000
/** Of a limit on items, whose grammar is larger than a character's. */
const MOST_ITEMS = 1000
/** What Python takes for the name of an argument. */
const IDENTIFIER = /^[\p{ID_Start}_]\p{ID_Continue}*$/u

/** A part of a pointer in a URI; what is no escape in it stays as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
/** Writes a schema as a grammar, rule by rule. */
export class SchemaGrammar {
  readonly #root: unknown
  readonly #notation: Notation
  readonly #name: string
  readonly #rules: string[] = []
  /** Rules of parts that something refers to, by JSON pointer. */
  readonly #references = new Map<string, string>()
  /** References that are followed without a value in between. */
  readonly #following: string[] = []
  /** References to what a value of finite size satisfies. */
  readonly #ending = new Set<string>()
  #nodes = 0
  #size = 0

  /**
   * @param name what its rules' names begin with, where a grammar has several schemas
   * @throws SchemaProblem for a schema that is too large, or that nothing satisfies
   */
  constructor(schema: unknown, notation: Notation, name = 's') {
    this.#root = copyOf(schema)
    this.#notation = notation
    this.#name = name
    this.#findEnding()
    if (!this.#ends(this.#root)) {
      refuse('', 'a schema whose values never end', 'a schema that a value of finite size satisfies')
    }
  }

  /** Rules that were written so far, but for those of any value. */
  get rules(): readonly string[] {
    return this.#rules
  }

  /** The values that the schema describes. @returns the name of a rule */
  value(): string {
    return this.#visit(this.#root, '', 0)
  }

  /** The arguments of a call, `name=value`, with commas between them: the schema describes an object. */
  callArguments(): string {
    return this.#callArguments(this.#root, '', 0)
  }

  #callArguments(given: unknown, path: string, depth: number): string {
    if (depth > MOST_DEPTH) refuse(path, 'a deep schema', `at most ${MOST_DEPTH} levels`)
    const schema = schemaObject(given, path)
    const whole = wholeKeyword(schema, path)
    if (whole === '$ref') return this.#callArguments(this.#target(schema.$ref, path), path, depth + 1)
    if (whole === 'anyOf' || whole === 'oneOf' || whole === 'allOf') {
      return this.#alternatives(schema, whole, path, (part, at) => this.#callArguments(part, at, depth + 1))
    }
    if (whole !== undefined || !['object', undefined].includes(schema.type as string | undefined)) {
      refuse(path, 'a schema of other values', 'one of an object: each property is an argument')
    }
    const all = this.#properties(schema, path)
    const other = Object.keys(all).find((name) => !IDENTIFIER.test(name))
    if (other !== undefined) refuse(`${path}/properties`, other, 'names that are identifiers')
    return this.#pairs(schema, all, (name) => `${name}=`, path, depth)
  }

  #rule(expression: string): string {
    const name = `${this.#name}${this.#rules.length}`
    this.#rules.push('')
    return this.#define(name, expression)
  }

  #define(name: string, expression: string): string {
    const rule = `${name} ::= ${expression}`
    this.#size += rule.length
    if (this.#size > MOST_GRAMMAR) refuse('', 'a schema whose grammar is too large', 'a smaller schema')
    this.#rules[Number(name.slice(this.#name.length))] = rule
    return name
  }

  /** @returns the name of a rule */
  #visit(given: unknown, path: string, depth: number): string {
    if (++this.#nodes > MOST_NODES)
      refuse(path, 'a large schema', `at most ${MOST_NODES} schemas within each other`)
    if (depth > MOST_DEPTH) refuse(path, 'a deep schema', `at most ${MOST_DEPTH} levels`)
    if (given === true) return 'value'
    const schema = schemaObject(given, path)
    const whole = wholeKeyword(schema, path)
    if (whole === '$ref') return this.#reference(schema.$ref, path, depth)
    if (whole === 'enum' || whole === 'const') return this.#values(schema, whole, path)
    if (whole !== undefined) {
      return this.#alternatives(schema, whole, path, (part, at) => this.#visit(part, at, depth + 1))
    }
    const types = typesOf(schema, path)
    if (types.length === 0) return 'value'
    return this.#rule(oneOf(types.map((type) => this.#typed(type, schema, path, depth))))
  }

  #typed(type: string, schema: SchemaObject, path: string, depth: number): string {
    if (type === 'object' || type === 'array') {
      // What is within a value may refer to what the value is in.
      const following = this.#following.splice(0)
      const rule = type === 'object' ? this.#object(schema, path, depth) : this.#array(schema, path, depth)
      this.#following.push(...following)
      return rule
    }
    if (type === 'string') return this.#string(schema, path)
    const words = this.#notation
    if (type === 'boolean') return oneOf([literal(words.true), literal(words.false)])
    if (type === 'null') return literal(words.null)
    const limits = {
      minimum: numberLimit(schema, 'minimum', path),
      maximum: numberLimit(schema, 'maximum', path),
      exclusiveMinimum: numberLimit(schema, 'exclusiveMinimum', path),
      exclusiveMaximum: numberLimit(schema, 'exclusiveMaximum', path),
    }
    const grammar = numberGrammar(limits, type === 'integer')
    return (
      grammar ?? refuse(path, 'limits that no number is within', 'a minimum that is not above the maximum')
    )
  }

  #target(pointer: unknown, path: string): unknown {
    if (typeof pointer !== 'string' || !/^#(\/|$)/.test(pointer)) {
      return refuse(`${path}/$ref`, pointer, 'a reference within the schema, such as "#/$defs/item"')
    }
    let target: unknown = this.#root
    for (const part of pointer.split('/').slice(1)) {
      const name = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~')
      const isThere = typeof target === 'object' && target !== null && Object.hasOwn(target, name)
      if (!isThere) refuse(`${path}/$ref`, pointer, 'a reference to something that the schema has')
      target = (target as SchemaObject)[name]
    }
    return target
  }

  #reference(given: unknown, path: string, depth: number): string {
    const target = this.#target(given, path)
    const pointer = given as string
    if (this.#following.includes(pointer)) {
      refuse(`${path}/$ref`, pointer, 'a reference that does not lead back to itself')
    }
    const known = this.#references.get(pointer)
    if (known !== undefined) return known
    const name = this.#rule('""')
    this.#references.set(pointer, name)
    this.#following.push(pointer)
    const rule = this.#visit(target, pointer.slice(1), depth + 1)
    this.#following.pop()
    return this.#define(name, rule)
  }

  #values(schema: SchemaObject, keyword: 'enum' | 'const', path: string): string {
    const all = keyword === 'const' ? [schema.const] : schema.enum
    if (!Array.isArray(all)) return refuse(`${path}/enum`, JSON.stringify(all), 'a list of values')
    const types = typesOf(schema, path)
    const values = all.filter(
      (value) => types.length === 0 || typeOfValue(value).some((type) => types.includes(type)),
    )
    if (values.length === 0)
      refuse(path, `a schema whose "${keyword}" has no value of its type`, 'one that has')
    const texts = new Set(values.map((value) => this.#notation.text(value)))
    return this.#rule(oneOf([...texts].map(literal)))
  }

  #alternatives(
    schema: SchemaObject,
    keyword: 'anyOf' | 'oneOf' | 'allOf',
    path: string,
    visit: (part: unknown, path: string) => string,
  ): string {
    const parts = schema[keyword]
    const at = `${path}/${keyword}`
    if (!Array.isArray(parts) || parts.length === 0)
      return refuse(at, JSON.stringify(parts), 'a list of schemas')
    if (schema.type !== undefined)
      refuse(path, `a schema with "${keyword}" and "type"`, `the type within "${keyword}"`)
    if (keyword === 'allOf' && parts.length > 1)
      refuse(at, `${parts.length} schemas`, 'one schema: put them together')
    if (keyword === 'oneOf') {
      const overlapping = parts.some((a, i) => parts.slice(i + 1).some((b) => !areDisjoint(a, b)))
      if (overlapping)
        refuse(at, 'schemas that a value might satisfy both', '"anyOf", or types or constants that differ')
    }
    return this.#rule(oneOf(parts.map((part, i) => visit(part, `${at}/${i}`))))
  }

  /** The properties that an object may have, by their names. */
  #properties(schema: SchemaObject, path: string): Record<string, unknown> {
    const { properties = {}, required = [], additionalProperties } = schema
    const all = { ...schemaObject(properties, `${path}/properties`) }
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string')) {
      return refuse(`${path}/required`, JSON.stringify(required), 'a list of names')
    }
    for (const name of required as string[]) {
      if (Object.hasOwn(all, name)) continue
      if (additionalProperties === false) refuse(`${path}/required`, name, 'names that "properties" has')
      all[name] = additionalProperties ?? true
    }
    return all
  }

  #object(schema: SchemaObject, path: string, depth: number): string {
    const all = this.#properties(schema, path)
    if (Object.keys(all).length === 0) return this.#map(schema, path, depth)
    const pairs = this.#pairs(schema, all, (name) => `${this.#notation.text(name)}: `, path, depth)
    return `"{" ${pairs} "}"`
  }

  /** The properties of an object in their order. @param head what stands before the value of a property */
  #pairs(
    schema: SchemaObject,
    all: Readonly<Record<string, unknown>>,
    head: (name: string) => string,
    path: string,
    depth: number,
  ): string {
    const names = Object.keys(all)
    const required = (schema.required ?? []) as readonly string[]
    const least = countLimit(schema, 'minProperties', path, MOST_COUNT)
    const most = countLimit(schema, 'maxProperties', path, MOST_COUNT)
    if ((least ?? 0) > required.length || (most ?? names.length) < names.length) {
      refuse(path, 'a number of properties that its names do not settle', 'names in "required" instead')
    }
    // From the last to the first: what may follow behind another property, and at the beginning.
    let behind = '""'
    let first = '""'
    for (const name of names.toReversed()) {
      const value = this.#visit(all[name], `${path}/properties/${name}`, depth + 1)
      const pair = `${literal(head(name))} ${value}`
      const isRequired = required.includes(name)
      const then = behind
      behind = this.#rule(`", " ${pair} ${then}${isRequired ? '' : ` | ${then}`}`)
      first = this.#rule(`${pair} ${then}${isRequired ? '' : ` | ${first}`}`)
    }
    return first
  }

  /** An object of any names, which may repeat: the last counts then. */
  #map(schema: SchemaObject, path: string, depth: number): string {
    const { additionalProperties: values } = schema
    const least = countLimit(schema, 'minProperties', path, MOST_COUNT) ?? 0
    const most = countLimit(schema, 'maxProperties', path, MOST_COUNT)
    if (values === false || most === 0) {
      return least > 0 ? refuse(path, 'an object without properties that needs some', 'other limits') : '"{}"'
    }
    if (least > 1) refuse(`${path}/minProperties`, least, 'at most 1 where no names are given')
    const value = this.#visit(values ?? true, `${path}/additionalProperties`, depth + 1)
    const pair = `string ": " ${value}`
    const pairs = `${pair} ${repeated(`", " ${pair}`, 0, most === undefined ? undefined : most - 1)}`
    return `"{" ${least === 0 ? `(${pairs})?` : pairs} "}"`
  }

  #array(schema: SchemaObject, path: string, depth: number): string {
    const { prefixItems = [], items } = schema
    if (!Array.isArray(prefixItems))
      return refuse(`${path}/prefixItems`, typeof prefixItems, 'a list of schemas')
    if (Array.isArray(items))
      refuse(`${path}/items`, 'a list', 'one schema; a list belongs into "prefixItems"')
    const least = countLimit(schema, 'minItems', path, MOST_ITEMS) ?? 0
    const most = countLimit(schema, 'maxItems', path, MOST_ITEMS)
    if (most !== undefined && most < least) refuse(path, 'limits that no length is within', 'other limits')
    const count = prefixItems.length
    const rest = items === undefined && count > 0 && least <= count ? false : (items ?? true)
    if ((most ?? count) < count || (rest === false && least > count)) {
      refuse(path, 'limits of the length that its items do not fit', 'as many items as "prefixItems" has')
    }
    const fixed = prefixItems.map((item, i) => this.#visit(item, `${path}/prefixItems/${i}`, depth + 1))
    const left = most === undefined ? undefined : most - count
    if (rest === false || left === 0) return `"[" ${fixed.join(' ", " ') || '""'} "]"`
    const item = this.#visit(rest, `${path}/items`, depth + 1)
    const more = Math.max(0, least - count)
    if (count > 0) return `"[" ${fixed.join(' ", " ')} ${repeated(`", " ${item}`, more, left)} "]"`
    const list = `${item} ${repeated(`", " ${item}`, Math.max(0, more - 1), left === undefined ? undefined : left - 1)}`
    return `"[" ${more === 0 ? `(${list})?` : list} "]"`
  }

  #string(schema: SchemaObject, path: string): string {
    const { pattern, format } = schema
    const least = countLimit(schema, 'minLength', path, MOST_COUNT)
    const most = countLimit(schema, 'maxLength', path, MOST_COUNT)
    if ([pattern, format, least ?? most].filter((one) => one !== undefined).length > 1) {
      refuse(path, 'a string with several limits', 'one of "pattern", "format", and a length')
    }
    if (format !== undefined && !(typeof format === 'string' && Object.hasOwn(FORMATS, format))) {
      refuse(`${path}/format`, format, `one of ${Object.keys(FORMATS).join(', ')}`)
    }
    const expression = format === undefined ? pattern : FORMATS[format as string]
    if (expression === undefined) {
      if (least === undefined && most === undefined) return 'string'
      if (most !== undefined && most < (least ?? 0))
        refuse(path, 'limits that no length is within', 'other limits')
      return stringOf(this.#notation, (quotes) => repeated(anyCharacter(quotes), least ?? 0, most))
    }
    if (typeof expression !== 'string') return refuse(`${path}/pattern`, expression, 'a regular expression')
    try {
      return stringOf(this.#notation, (quotes) => `(${patternGrammar(expression, quotes)})`)
    } catch (error) {
      if (!(error instanceof PatternProblem)) throw error
      return refuse(
        `${path}/pattern`,
        expression,
        `a regular expression that a grammar can hold, without ${error.message}`,
      )
    }
  }

  /** Finds the references to schemas that a value of finite size satisfies: more of them, until there are no more. */
  #findEnding(): void {
    const pointers = new Set<string>()
    JSON.stringify(this.#root, (key, value: unknown) => {
      if (key === '$ref' && typeof value === 'string') pointers.add(value)
      return value
    })
    const targets = [...pointers].map((pointer) => [pointer, this.#target(pointer, '')] as const)
    for (let before = -1; before < this.#ending.size; ) {
      before = this.#ending.size
      for (const [pointer, target] of targets) {
        if (!this.#ending.has(pointer) && this.#ends(target)) this.#ending.add(pointer)
      }
    }
  }

  /** Whether a value of finite size satisfies a schema, as far as references are known to; wrong ones are refused later. */
  #ends(given: unknown, depth = 0): boolean {
    if (typeof given !== 'object' || given === null || depth > MOST_DEPTH) return true
    const {
      $ref,
      anyOf,
      oneOf: one,
      allOf,
      properties,
      required,
      prefixItems,
      items,
      minItems,
    } = given as SchemaObject
    const ends = (inner: unknown) => this.#ends(inner, depth + 1)
    if (typeof $ref === 'string') return this.#ending.has($ref)
    const some = [anyOf, one, allOf].find((parts) => Array.isArray(parts)) as unknown[] | undefined
    if (some) return some.some(ends)
    const needed = Array.isArray(required) ? (required as unknown[]) : []
    const values = (properties ?? {}) as SchemaObject
    if (!needed.every((name) => typeof name !== 'string' || ends(values[name]))) return false
    if (Array.isArray(prefixItems) && !prefixItems.every(ends)) return false
    const fixed = Array.isArray(prefixItems) ? prefixItems.length : 0
    return !(typeof minItems === 'number' && minItems > fixed) || ends(items)
  }
}

/** A schema as the JSON that it is. */
function copyOf(schema: unknown): unknown {
  let text: string | undefined
  try {
    text = JSON.stringify(schema)
  } catch {
    // A circle of objects.
  }
  if (text !== undefined && text.length <= MOST_SCHEMA) return JSON.parse(text)
  const what = text === undefined ? typeof schema : `${text.length} characters`
  return refuse('', what, `JSON of at most ${MOST_SCHEMA} characters`)
}

/**
 * The grammar of the JSON texts that satisfy a schema. Every text of it parses and validates; some that would are not in it: it
 * has the properties that are named, in their order, the spaces of Python's `json.dumps`, and strings that match a pattern as a whole.
 * @param schema JSON Schema: an object, or true for any value
 * @throws `option.invalid` naming the place, for what a grammar cannot hold, what nothing satisfies, and what is too large
 */
export function jsonSchemaGrammar(schema: unknown): string {
  return namingSchema('constraint.jsonSchema', () => {
    const grammar = new SchemaGrammar(schema, JSON_NOTATION)
    const root = grammar.value()
    return [`root ::= ${root}`, ...grammar.rules, ...valueRules(JSON_NOTATION)].join('\n')
  })
}

/** Works on a schema. @throws `option.invalid` for what is wrong with it, behind its name */
export function namingSchema<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SchemaProblem)) throw error
    throw invalidOption(`${name}${error.path}`, error.what, error.expected)
  }
}
