import { readFile } from 'node:fs/promises'
import Ajv2020 from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { randomSource } from '../../../kernels/testing/numbers.js'
import { parseReply, stringifyJson, Tokenizer } from '../../../tokenizer/index.js'
import { GrammarEngine } from './grammar-engine.js'
import { sayAnything, schema } from './testing.js'
import { toolCallGrammar } from './tool-call.js'

const ajv = new Ajv2020({ strict: false, validateFormats: false })

const WEATHER = {
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: {
      city: { enum: ['Paris', "L'Aquila", '北京'] },
      days: { type: 'integer', minimum: 1, maximum: 3 },
    },
    required: ['city'],
  },
}

describe('the grammar of calls of tools', () => {
  let tokenizer: Tokenizer
  let engine: GrammarEngine
  beforeAll(async () => {
    tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))
    engine = new GrammarEngine(tokenizer, tokenizer.vocabSize)
  })

  const say = (tools: object[], seed: number, name?: string) =>
    sayAnything(engine, tokenizer, toolCallGrammar(tools, name), randomSource(seed))

  it('holds only calls that are read as such, with arguments that validate', () => {
    let ended = 0
    const properties = fc.uniqueArray(
      fc.tuple(fc.constantFrom('city', 'days', '名字', '_x1'), schema, fc.boolean()),
      { selector: ([name]) => name, maxLength: 3 },
    )
    fc.assert(
      fc.property(properties, fc.nat(), (entries, seed) => {
        // A reference to the root would mean the arguments.
        const own = entries.filter(([, one]) => !JSON.stringify(one).includes('"$ref"'))
        const parameters = {
          type: 'object',
          properties: Object.fromEntries(own.map(([name, one]) => [name, one])),
          required: own.filter(([, , needed]) => needed).map(([name]) => name),
        }
        const said = say([{ name: 'use it/2', parameters }], seed)
        if (said === undefined) return
        ended++
        const { last } = parseReply(said, { hasTools: true, toolNames: new Set(['use it/2']) })
        expect(last, said).toMatchObject({ type: 'tool-call', name: 'use it/2' })
        const given = last.type === 'tool-call' ? JSON.parse(stringifyJson(last.parameters)) : undefined
        expect(ajv.validate(parameters, given) ? '' : ajv.errorsText(), said).toBe('')
      }),
      { numRuns: 50 },
    )
    expect(ended).toBeGreaterThan(30)
  }, 120_000)

  it('is in the form that the model learnt', () => {
    const form =
      /^get_weather\n ```python\ntool_call\(city=('Paris'|"L'Aquila"|'北京')(, days=[123])?\)\n```$/
    for (let seed = 0; seed < 8; seed++) expect(say([WEATHER], seed)).toMatch(form)
  })

  it('is of any of the tools, or of the one that is named', () => {
    const time = { type: 'function', function: { name: 'get_time', description: 'the time' } }
    const tools = [WEATHER, time]
    const called = Array.from({ length: 12 }, (_, seed) => say(tools, seed)?.split('\n')[0])
    expect(new Set(called)).toEqual(new Set(['get_weather', 'get_time']))
    expect(say(tools, 1, 'get_time')).toBe('get_time\n ```python\ntool_call()\n```')
  })

  it('takes schemas that lead to an object by references and alternatives', () => {
    const either = (a: object, b: object) => ({ anyOf: [a, b], $defs: {} })
    const one = (name: string) => ({ type: 'object', properties: { [name]: { const: 1 } }, required: [name] })
    expect(say([{ name: 'f', parameters: either(one('a'), one('b')) }], 2)).toMatch(/tool_call\([ab]=1\)/)
    const parameters = { $ref: '#/$defs/x', $defs: { x: one('a') } }
    expect(say([{ name: 'f', parameters }], 2)).toContain('tool_call(a=1)')
  })

  it.each([
    [[], undefined, 'constraint.toolCall', 'a list'],
    [[{ name: 'a\nb' }], undefined, 'constraint.toolCall[0].name', 'one line'],
    [[WEATHER], 'get_time', 'constraint.name', 'get_weather'],
    [
      [WEATHER, { name: 'f', parameters: { type: 'string' } }],
      undefined,
      'constraint.toolCall[1].parameters',
      'object',
    ],
    [
      [{ type: 'function', function: { name: 'f', parameters: { properties: { a: { not: {} } } } } }],
      undefined,
      'constraint.toolCall[0].function.parameters/properties/a',
      'not',
    ],
    [
      [{ name: 'f', parameters: { properties: { 'a-b': {} } } }],
      undefined,
      'constraint.toolCall[0].parameters/properties',
      'identifiers',
    ],
  ])('refuses %j, %s', (tools, name, option, words) => {
    const error = (() => {
      try {
        return toolCallGrammar(tools, name)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toMatchObject({ code: 'option.invalid', details: { option } })
    expect((error as Error).message).toContain(words)
  })
})
