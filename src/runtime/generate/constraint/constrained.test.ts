/** Answers that keep to a constraint, beside others, on an engine that says anything. */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Tokenizer } from '../../../tokenizer/index.js'
import type { GenerateOptions, Generation } from '../generation.js'
import { resolveGeneration } from '../generation.js'
import { generateAll } from '../run-sequences.js'
import { Scheduler } from '../scheduler.js'
import { FakeEngine } from '../testing/fake-engine.js'
import type { ConstraintOption } from './constraint.js'
import { Grammars } from './grammars.js'

const PERSON = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 5 }, age: { type: 'integer', minimum: 0, maximum: 130 } },
  required: ['name', 'age'],
}

describe('constrained answers', () => {
  let tokenizer: Tokenizer
  let grammars: Grammars
  beforeAll(async () => {
    tokenizer = Tokenizer.fromSentencePiece(await readFile('models/tiny/tokenizer.model'))
    grammars = new Grammars(tokenizer, tokenizer.vocabSize)
  })

  /** A model that likes what ends things, and else says anything. */
  const create = (maxSequences: number, delay = () => 1, mostRows?: number) => {
    const likes = ['"', '}', ']', '</s>', ','].map((piece) =>
      Array.from({ length: tokenizer.vocabSize }, (_, id) => id).find(
        (id) => tokenizer.vocabulary.piece(id) === piece,
      ),
    )
    const engine = new FakeEngine({
      maxSequences,
      pages: 60,
      chunkTokens: 16,
      contextLength: 1000,
      delay,
      ...(mostRows !== undefined && { mostRows }),
      vocabulary: tokenizer.vocabSize,
      next: ({ sampling }, ids) => {
        const hash = ids.reduce((sum, id) => Math.imul(sum ^ id, 16777619), sampling.seed) >>> 8
        return (hash % 3 === 0 ? likes[hash % likes.length] : undefined) ?? hash % tokenizer.vocabSize
      },
    })
    const scheduler = new Scheduler(engine)
    const answer = async (options: GenerateOptions, ids: readonly number[] = [5, 6]): Promise<Generation> => {
      const resolved = resolveGeneration(engine, tokenizer, options, grammars)
      const all = generateAll({ engine, scheduler, tokenizer }, [ids], resolved, () => {})
      for (let next = await all.next(); ; next = await all.next()) if (next.done) return next.value[0]
    }
    return { engine, scheduler, answer }
  }

  const holds = (constraint: ConstraintOption, text: string): boolean => {
    if ('choices' in constraint) return constraint.choices.includes(text)
    if ('grammar' in constraint) return /^(ab)+c?$/.test(text)
    const value = JSON.parse(text) as { name: string; age: number }
    if ('json' in constraint) return typeof value === 'object' && !Array.isArray(value)
    return (
      [...value.name].length <= 5 && value.age >= 0 && value.age <= 130 && Object.keys(value).length === 2
    )
  }

  it('are whole where they end by themselves, and say that they were cut where they were; others are as alone', async () => {
    let whole = 0
    const wish = fc.record({
      constraint: fc.constantFrom<(ConstraintOption | undefined)[]>(
        undefined,
        { jsonSchema: PERSON },
        { json: true },
        { grammar: 'root ::= ("ab")+ "c"?' },
        { choices: ['yes', 'no', '也许', ''] },
      ),
      seed: fc.nat(1000),
      maxTokens: fc.integer({ min: 1, max: 60 }),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(wish, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat(3)),
        async (wishes, places, delays) => {
          const { answer } = create(places, () => delays.next().value)
          const together = await Promise.all(wishes.map((one) => answer(one)))
          for (const [i, { constraint, ...rest }] of wishes.entries()) {
            const { text, finishReason, ids } = together[i]
            const options = constraint ? { constraint, ...rest } : rest
            expect((await create(1).answer(options)).ids).toEqual(ids)
            if (!constraint) continue
            expect(['stop', 'length']).toContain(finishReason)
            if (finishReason === 'length') expect(ids).toHaveLength(rest.maxTokens)
            else whole++
            if (finishReason === 'stop') expect(holds(constraint, text), text).toBe(true)
          }
        },
      ),
      { numRuns: 25 },
    )
    expect(whole).toBeGreaterThan(10)
  }, 120_000)

  it('are the same where ids that must come take rows of one step, and take fewer steps', async () => {
    const saved: number[] = []
    const wish = fc.record({
      constraint: fc.constantFrom<ConstraintOption[]>(
        { jsonSchema: PERSON },
        { grammar: 'root ::= "The answer is: " ("yes" | "no, 你好世界") "."' },
        { toolCall: [{ name: 'get_person', parameters: PERSON }] },
      ),
      seed: fc.nat(1000),
      maxTokens: fc.integer({ min: 1, max: 60 }),
      topLogprobs: fc.nat(2),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(wish, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 2, max: 9 }),
        fc.infiniteStream(fc.nat(3)),
        async (wishes, places, mostRows, delays) => {
          const { answer, engine } = create(places, () => delays.next().value, mostRows)
          const together = await Promise.all(wishes.map((one) => answer(one)))
          saved.push(
            ...engine.steps.flatMap(({ forced }) => [...(forced?.values() ?? [])].map((ids) => ids.length)),
          )
          for (const [i, one] of wishes.entries()) {
            const { logprobs, ...alone } = await create(1).answer(one)
            const { logprobs: _, ...told } = together[i]
            expect(told).toEqual({ ...alone, cachedTokens: told.cachedTokens })
            expect(logprobs).toHaveLength(alone.ids.length)
          }
        },
      ),
      { numRuns: 15 },
    )
    expect(Math.max(...saved)).toBeGreaterThan(3)
  }, 120_000)

  it('may come in any tokens where some are banned: then none are forced', async () => {
    const constraint = { grammar: 'root ::= "The answer is 42."' }
    for (const [options, isForced] of [
      [{}, true],
      [{ bannedIds: [[7]] }, false],
      [{ logitBias: { 9: 2 } }, false],
    ] as const) {
      const { answer, engine } = create(1, () => 1, 8)
      expect((await answer({ constraint, ...options })).text).toBe('The answer is 42.')
      expect(engine.steps.some(({ forced }) => forced !== undefined)).toBe(isForced)
    }
  })

  it('run one step at a time, while others beside them run ahead', async () => {
    const { engine, answer } = create(2, () => 2)
    const constraint = { grammar: 'root ::= ("ab"){30}' }
    const [kept] = await Promise.all([
      answer({ constraint }),
      answer({ seed: 3, maxTokens: 100, stopIds: [] }),
    ])
    expect(kept.text).toBe('ab'.repeat(30))
    const free = engine.steps.filter(({ rows, masks }) => rows.length === 1 && !masks)
    const both = engine.steps.filter(({ rows, masks }) => rows.length === 2 && masks?.size === 1)
    expect(free.length).toBeGreaterThan(5)
    expect(both.length).toBeGreaterThan(5)
  })

  it('have their next row begun while the mask is found, where no other sequence runs', async () => {
    const { engine, answer } = create(2)
    const constraint = { grammar: 'root ::= ("ab"){30}' }
    const { ids } = await answer({ constraint })
    // All but the first row, which follows the prompt, and what comes behind the end.
    const rows = engine.steps.filter((step) => step.rows.length === 1)
    expect(engine.begun.length).toBeGreaterThanOrEqual(rows.length - 1)
    expect(engine.begun.length).toBeLessThanOrEqual(ids.length)
    engine.begun.length = 0
    await Promise.all([answer({ constraint }), answer({ seed: 3, maxTokens: 100, stopIds: [] })])
    expect(engine.begun.length).toBeLessThan(5)
  })

  it('need no stop id where nothing can follow', async () => {
    const { answer } = create(1)
    const { text, finishReason, stopId } = await answer({ constraint: { choices: ['好'] }, stopIds: [] })
    expect({ text, finishReason, stopId }).toEqual({ text: '好', finishReason: 'stop', stopId: undefined })
  })

  it.each([
    [{}, 'one of jsonSchema, json, grammar, choices'],
    [{ json: true, choices: ['a'] }, 'one of jsonSchema'],
    [{ schema: {} }, 'one of jsonSchema'],
    [{ json: false }, 'constraint.json'],
    [{ choices: [] }, 'constraint.choices'],
    [{ choices: ['a', 1] }, 'constraint.choices'],
    [{ choices: ['\ud800'] }, 'constraint.choices'],
    [{ grammar: 'root ::= (' }, 'line 1'],
    [{ grammar: `root ::= "${'a'.repeat(70_000)}"` }, '65536'],
    [{ jsonSchema: { type: 'text' } }, 'constraint.jsonSchema/type'],
  ])('refuse the constraint %j', async (constraint, words) => {
    const error = await create(1)
      .answer({ constraint: constraint as unknown as ConstraintOption })
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'option.invalid' })
    expect((error as Error).message).toContain(words)
  })

  it('fail alone where a text can be read in too many ways', async () => {
    const { answer } = create(2)
    // Each "a" doubles what may close it.
    const constraint = { grammar: 'root ::= s\ns ::= "a" (s "b" | s "c") | "a"{30} "z"' }
    const [kept, free] = await Promise.allSettled([
      answer({ constraint }),
      answer({ seed: 3, maxTokens: 50, stopIds: [] }),
    ])
    expect(kept).toMatchObject({ status: 'rejected', reason: { code: 'option.invalid' } })
    expect(free.status).toBe('fulfilled')
    expect((await answer({ constraint: { choices: ['a'] } })).text).toBe('a')
  })

  it('have no texts that cut them', async () => {
    const options = { constraint: { choices: ['a'] }, stop: ['a'] }
    await expect(create(1).answer(options)).rejects.toThrow('stop')
  })
})
