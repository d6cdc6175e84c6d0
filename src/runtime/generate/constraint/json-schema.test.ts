import { readFile } from 'node:fs/promises'
import Ajv2020 from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomSource } from '../../../kernels/testing/numbers.js'
import { Tokenizer } from '../../../tokenizer/index.js'
import { GrammarEngine } from './grammar-engine.js'
import { jsonSchemaGrammar } from './json-schema.js'

const ajv = new Ajv2020({ strict: false, validateFormats: false })

/** Says any text of a grammar: ids at random within the mask, with a liking for ends. Undefined where it finds none soon. */
function sayAnything(
  engine: GrammarEngine,
  tokenizer: Tokenizer,
  grammar: string,
  random: () => number,
): string | undefined {
  const { eos } = tokenizer.special
  const constraint = engine.prepare(grammar, [eos])()
  const ids: number[] = []
  while (ids.length < 300) {
    const mask = constraint.mask()
    const allowed = Array.from({ length: tokenizer.vocabSize }, (_, id) => id).filter(
      (id) => (mask[id >> 5] >>> (id & 31)) & 1,
    )
    expect(allowed.length).toBeGreaterThan(0)
    if (allowed.includes(eos) && (allowed.length === 1 || random() < 0.5)) return tokenizer.decode(ids)
    const others = allowed.filter((id) => id !== eos)
    const ends = others.filter((id) => /["}\]]/.test(tokenizer.vocabulary.text(id)))
    const among = ends.length > 0 && random() < 0.4 ? ends : others
    const id = among[Math.floor(random() * among.length)]
    ids.push(id)
    constraint.accept(id)
  }
  return undefined
}

const name = fc.constantFrom('a', 'b', 'name', '名字', 'with "quotes"', 'a\nb', '')
const limit = fc.option(fc.integer({ min: -120, max: 120 }), { nil: undefined })
const numeric = fc
  .record({
    type: fc.constantFrom('integer', 'number'),
    minimum: limit,
    maximum: limit,
    shift: fc.constantFrom(0, 0.5, 0.125),
  })
  .map(({ type, minimum, maximum, shift }) => ({
    type,
    ...(minimum !== undefined && { minimum: minimum - shift }),
    ...(maximum !== undefined && { maximum: Math.max(maximum, (minimum ?? -120) + 1) + shift }),
  }))
const text = fc.oneof(
  fc.constant({ type: 'string' }),
  fc.record({ type: fc.constant('string'), minLength: fc.nat(3), maxLength: fc.integer({ min: 3, max: 9 }) }),
  fc.record({
    type: fc.constant('string'),
    pattern: fc.constantFrom(
      '^[A-Z]{2,3}-\\d+$',
      '.*',
      '^(ab|c)*"\\\\?$',
      '[^a-z\\s]{1,4}',
      '\\w+@\\w+(\\.\\w{2,3})+',
      '你|好+',
      '^\\S\\D[\\]\\-^]?$',
      '^$',
    ),
  }),
)
const constants = fc.array(fc.jsonValue({ maxDepth: 1 }), { minLength: 1, maxLength: 4 })
const { schema } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom({ type: 'boolean' }, { type: 'null' }, {}, { type: ['null', 'integer'] }),
      numeric,
      text,
      constants.map((values) => ({ enum: values })),
      constants.map(([value]) => ({ const: value })),
    ),
    fc
      .uniqueArray(fc.tuple(name, tie('schema'), fc.boolean()), { selector: ([key]) => key, maxLength: 4 })
      .map((entries) => ({
        type: 'object',
        properties: Object.fromEntries(entries.map(([key, value]) => [key, value])),
        required: entries.filter(([, , needed]) => needed).map(([key]) => key),
        additionalProperties: false,
      })),
    fc.tuple(tie('schema'), fc.nat(2), fc.nat(2)).map(([items, minItems, more]) => ({
      type: 'array',
      items,
      minItems,
      maxItems: minItems + more,
    })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((prefixItems) => ({
      type: 'array',
      prefixItems,
      items: false,
      minItems: prefixItems.length,
    })),
    tie('schema').map((additionalProperties) => ({ type: 'object', additionalProperties, maxProperties: 2 })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    numeric.map((item) => ({
      $defs: { item },
      type: 'object',
      properties: { first: { $ref: '#/$defs/item' }, rest: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
      required: ['first'],
    })),
  ),
}))

describe('the grammar of a schema', () => {
  let tokenizer: Tokenizer
  let engine: GrammarEngine
  beforeAll(async () => {
    tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))
    engine = new GrammarEngine(tokenizer, tokenizer.vocabSize)
  })

  it('holds only texts that parse and validate', async () => {
    let ended = 0
    fc.assert(
      fc.property(schema, fc.nat(), (one, seed) => {
        // A reference to the root means another root where the schema is within one.
        const whole = JSON.stringify(one).includes('"$ref"') && !('$defs' in one) ? { type: 'null' } : one
        const said = sayAnything(engine, tokenizer, jsonSchemaGrammar(whole), randomSource(seed))
        if (said === undefined) return
        ended++
        const found = (() => {
          try {
            return ajv.validate(whole, JSON.parse(said)) ? '' : ajv.errorsText()
          } catch (error) {
            return String(error)
          }
        })()
        expect(found, said).toBe('')
      }),
      { numRuns: 150 },
    )
    expect(ended).toBeGreaterThan(100)
  }, 120_000)

  it.each([
    [{ type: 'string', not: {} }, '', 'not'],
    [{ properties: { a: { type: 'array', uniqueItems: true } } }, '/properties/a', 'uniqueItems'],
    [{ type: 'text' }, '/type', 'text'],
    [{ type: 'integer', minimum: 5, maximum: 3 }, '', 'no number'],
    [{ type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 4 }, '', 'no number'],
    [{ $ref: '#/$defs/none' }, '/$ref', 'none'],
    [{ $ref: 'https://example.com/schema' }, '/$ref', 'example.com'],
    [{ $ref: '#' }, '', 'never end'],
    [{ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, '', 'never end'],
    [{ anyOf: [{ $ref: '#' }, { type: 'null' }] }, '/anyOf/0/$ref', 'back to itself'],
    [{ enum: [] }, '', 'enum'],
    [{ enum: [1, 2], type: 'string' }, '', 'type'],
    [{ oneOf: [{ type: 'integer' }, { type: 'number' }] }, '/oneOf', 'both'],
    [{ type: 'string', pattern: '(?=a)b' }, '/pattern', 'looks around'],
    [{ type: 'string', pattern: '(a' }, '/pattern', 'without an end'],
    [{ type: 'string', pattern: '((a{100}){100}){100}' }, '/pattern', 'repetitions'],
    [{ type: 'string', format: 'phone' }, '/format', 'date-time'],
    [{ type: 'string', maxLength: 1e9 }, '/maxLength', '10000'],
    [{ type: 'array', minItems: 2, maxItems: 1 }, '', 'no length'],
    [{ type: 'object', required: ['a'], additionalProperties: false }, '/required', '"a"'],
    [false, '', 'a schema'],
    ['{}', '', 'a schema'],
  ])('refuses %j', (wrong, path, words) => {
    const error = (() => {
      try {
        return jsonSchemaGrammar(wrong)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({
      code: 'option.invalid',
      details: { option: `constraint.jsonSchema${path}` },
    })
    expect((error as Error).message).toContain(words)
  })

  it('refuses what is too large or too deep', () => {
    let deep: object = { type: 'null' }
    for (let level = 0; level < 100; level++) deep = { type: 'array', items: deep }
    expect(() => jsonSchemaGrammar(deep)).toThrow('levels')
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`p${i}`, {}]))
    expect(() => jsonSchemaGrammar({ type: 'object', properties: many })).toThrow('at most')
    expect(() => jsonSchemaGrammar({ title: 'a'.repeat(70_000) })).toThrow('characters')
    const circle: Record<string, unknown> = {}
    circle.properties = circle
    expect(() => jsonSchemaGrammar(circle)).toThrow('constraint.jsonSchema')
  })

  it('is found in little time for references that meet again and again', () => {
    const level = (i: number, last: object) => (i === 21 ? last : { $ref: `#/$defs/l${i + 1}` })
    const chain = (make: (next: object) => object, last: object) =>
      Object.fromEntries(Array.from({ length: 22 }, (_, i) => [`l${i}`, make(level(i, last))]))
    const both = (next: object) => ({
      type: 'object',
      properties: { a: next, b: next },
      required: ['a', 'b'],
    })
    const either = (next: object) => ({ anyOf: [next, next] })
    const root = { $ref: '#/$defs/l0' }
    expect(jsonSchemaGrammar({ $defs: chain(both, { type: 'null' }), ...root })).toContain('root')
    expect(() => jsonSchemaGrammar({ $defs: chain(either, root), ...root })).toThrow('never end')
  })

  it('writes JSON as the model learnt it, and takes one of several types, formats and tagged alternatives', async () => {
    const tagged = (kind: string) => ({
      type: 'object',
      properties: { kind: { const: kind } },
      required: ['kind'],
    })
    const schemas: [object, RegExp][] = [
      [{ const: { a: [1, 'x'], b: null } }, /^\{"a": \[1, "x"\], "b": null\}$/],
      [{ oneOf: [tagged('a'), tagged('b')] }, /^\{"kind": "[ab]"\}$/],
      [{ type: 'string', format: 'date' }, /^"\d{4}-\d\d-\d\d"$/],
      [{ type: 'number', minimum: 0.5, maximum: 0.75 }, /^0\.\d\d$/],
      [{ type: 'integer', minimum: -12, exclusiveMaximum: -9 }, /^-1[0-2]$/],
    ]
    for (const [one, expected] of schemas) {
      expect(sayAnything(engine, tokenizer, jsonSchemaGrammar(one), randomSource(1))).toMatch(expected)
    }
  })
})
