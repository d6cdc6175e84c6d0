import fc from 'fast-check'
import { expect } from 'vitest'
import type { Tokenizer } from '../../../tokenizer/index.js'
import type { GrammarEngine } from './grammar-engine.js'

/** Says any text of a grammar: ids at random within the mask, with a liking for ends. Undefined where it finds none soon. */
export function sayAnything(
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
/** Schemas of all kinds. */
export const { schema } = fc.letrec<{ schema: object }>((tie) => ({
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
