import { readFile } from 'node:fs/promises'
import Ajv2020 from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomSource } from '../../../kernels/testing/numbers.js'
import { Tokenizer } from '../../../tokenizer/index.js'
import { GrammarEngine } from './grammar-engine.js'
import { jsonSchemaGrammar } from './json-schema.js'
import { sayAnything, schema } from './testing.js'

const ajv = new Ajv2020({ strict: false, validateFormats: false })

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
      { numRuns: 100 },
    )
    expect(ended).toBeGreaterThan(60)
  }, 120_000)

  it.each([
    [{ type: 'string', not: {} }, '', 'not'],
    [{ properties: { a: { type: 'array', uniqueItems: true } } }, '/properties/a', 'uniqueItems'],
    [{ type: 'text' }, '/type', 'text'],
    [{ type: 'integer', minimum: 5, maximum: 3 }, '', 'no number'],
    [{ type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 4 }, '', 'no number'],
    [{ $ref: '#/$defs/none' }, '/$ref', 'none'],
    [{ $ref: '#/$defs/%rt' }, '/$ref', '%rt'],
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
