import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SampledId } from '../../kernels/index.js'
import type { ChunkOutput, SequenceStart } from '../engine/index.js'
import { resolveSampling } from '../engine/index.js'
import type { Prefix } from '../model/index.js'
import { Scheduler } from './scheduler.js'
import type { Sequence, SequenceListener } from './sequence.js'
import { FakeEngine, type FakeEngineOptions, nextId, VOCABULARY } from './testing/fake-engine.js'

/** A sequence that only counts ids: the text has tests of its own. */
class Ids implements Sequence {
  readonly start: SequenceStart
  readonly signal: AbortSignal | undefined
  readonly wants = 'answer'
  readonly listener: SequenceListener = {}
  readonly ids: number[] = []
  readonly done: Promise<readonly number[]>
  ended = false
  readonly #limit: number
  #resolve: (ids: readonly number[]) => void = () => {}
  #reject: (error: unknown) => void = () => {}

  constructor(start: SequenceStart, limit: number, signal?: AbortSignal) {
    this.start = start
    this.signal = signal
    this.#limit = limit
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.done.catch(() => {})
  }

  accept({ id }: SampledId): void {
    if (this.ended || id === undefined) return
    this.ids.push(id)
    if (this.ids.length < this.#limit && !this.start.stopIds.includes(id)) return
    this.ended = true
    this.#resolve(this.ids)
  }

  acceptChunk({ sampled }: ChunkOutput): void {
    if (sampled) this.accept(sampled)
  }

  fail(error: unknown): void {
    if (this.ended) return
    this.ended = true
    this.#reject(error)
  }
}

const PREFIXES = [64, 100, 3].map((length, i) => ({ name: `p${i}`, length }) as Prefix)

interface Wish {
  readonly ids: readonly number[]
  readonly maxTokens: number
  readonly prefix?: number | undefined
  readonly prefixStrength?: number
  readonly seed?: number
  readonly stopIds?: readonly number[]
}

function startOf(
  engine: FakeEngine,
  { ids, maxTokens, prefix, prefixStrength = 1, seed = 1, stopIds = [0] }: Wish,
): SequenceStart {
  const chosen = prefix === undefined ? undefined : PREFIXES[prefix]
  return {
    ids,
    prefix: chosen,
    prefixStrength,
    sampling: resolveSampling({ seed }, VOCABULARY),
    stopIds,
    positionLimit: Math.min(engine.available(chosen), ids.length + maxTokens),
  }
}

/** What a sequence gets alone. */
function alone(start: SequenceStart): number[] {
  const ids: number[] = []
  while (ids.length < start.positionLimit - start.ids.length) {
    ids.push(nextId(start, [...start.ids, ...ids]))
    if (start.stopIds.includes(ids[ids.length - 1])) break
  }
  return ids
}

function sequence(engine: FakeEngine, wish: Wish, signal?: AbortSignal): Ids {
  const start = startOf(engine, wish)
  return new Ids(start, start.positionLimit - start.ids.length, signal)
}

const count = (length: number, from = 1) => Array.from({ length }, (_, i) => (from + i) % VOCABULARY)

function create(options: Partial<FakeEngineOptions> = {}, maxWaiting?: number) {
  const engine = new FakeEngine({
    maxSequences: 4,
    pages: 20,
    chunkTokens: 16,
    contextLength: 1000,
    delay: () => 1,
    ...options,
  })
  return { engine, scheduler: new Scheduler(engine, maxWaiting) }
}

/** Waits until the scheduler has nothing left to do, and everything it held is free. */
async function expectIdle(engine: FakeEngine, scheduler: Scheduler): Promise<void> {
  await scheduler.exclusively(async () => {})
  expect(scheduler.load).toEqual({ running: 0, waiting: 0 })
  engine.forget()
  expect(engine.cache.free).toBe(engine.cache.pages)
}

describe('the scheduler', () => {
  it('tells answers under way what they got before the chunk of the same step is computed', async () => {
    const { engine, scheduler } = create()
    const answer = sequence(engine, { ids: count(3), maxTokens: 200, seed: 2 })
    const prompt = sequence(engine, { ids: count(100), maxTokens: 1 })
    // The first id comes with the prompt.
    let expected = 1
    const behind: number[] = []
    const run = engine.run.bind(engine)
    engine.run = (step) => {
      const output = run(step)
      expected += step.rows.length
      const given = expected
      if (step.rows.length === 1 && step.chunks.length > 0) {
        output.chunks.then(() => behind.push(given - answer.ids.length)).catch(() => {})
      }
      return output
    }
    scheduler.add(answer)
    while (answer.ids.length < 2) await new Promise(setImmediate)
    scheduler.add(prompt)
    await prompt.done
    expect(behind.length).toBeGreaterThan(5)
    expect(behind.every((missing) => missing <= 0)).toBe(true)
    scheduler.remove(answer, new Error('enough'))
    await expectIdle(engine, scheduler)
  })

  it('gives every sequence what it gets alone, side by side', async () => {
    const { engine, scheduler } = create()
    const all = count(9).map((seed) => sequence(engine, { ids: count(10 * seed), maxTokens: 30, seed }))
    for (const one of all) scheduler.add(one)
    for (const one of all) expect(await one.done).toEqual(alone(one.start))
    expect(Math.max(...engine.steps.map(({ rows }) => rows.length))).toBe(4)
    await expectIdle(engine, scheduler)
  })

  it('keeps three steps of a single answer under way', async () => {
    const { engine, scheduler } = create({ delay: () => 3 })
    const one = sequence(engine, { ids: [1, 2, 3], maxTokens: 40, seed: 6 })
    scheduler.add(one)
    expect(await one.done).toEqual(alone(one.start))
    // Those that were under way when it ended are the only ones too many.
    expect(engine.steps.length).toBeLessThanOrEqual(one.ids.length + 2)
  })

  it('computes a long prompt in chunks, beside which answers go on', async () => {
    const { engine, scheduler } = create()
    const short = sequence(engine, { ids: [5], maxTokens: 60, seed: 14 })
    scheduler.add(short)
    while (short.ids.length < 2) await new Promise(setImmediate)
    const long = sequence(engine, { ids: count(200), maxTokens: 5 })
    scheduler.add(long)
    await Promise.all([short.done, long.done])
    const beside = engine.steps.filter(({ chunks }) => chunks.some(({ slot }) => slot.pendingTokens === 0))
    expect(beside.length).toBeGreaterThan(10)
    const chunkSteps = engine.steps.filter(({ chunks }) => chunks.length > 0).slice(1)
    const withAnswer = chunkSteps.filter(({ rows }) => rows.length > 0)
    expect(withAnswer.length).toBeGreaterThanOrEqual(Math.min(chunkSteps.length, short.ids.length - 6))
  })

  it('serves who came first: prompts are computed in their order, and nobody is overtaken', async () => {
    const { engine, scheduler } = create({ maxSequences: 2 })
    const ends: number[] = []
    const all = count(8).map((seed) => sequence(engine, { ids: count(40, seed), maxTokens: 3, seed }))
    all.forEach((one, i) => {
      scheduler.add(one)
      one.done.then(() => ends.push(i))
    })
    await Promise.all(all.map(({ done }) => done))
    ends.forEach((end, i) => {
      expect(Math.abs(end - i)).toBeLessThanOrEqual(1)
    })
  })

  it('refuses more that wait than it was told, and takes others when some have ended', async () => {
    const { engine, scheduler } = create({ maxSequences: 1 }, 2)
    const all = count(3).map((seed) => sequence(engine, { ids: [seed], maxTokens: 3, seed }))
    scheduler.add(all[0])
    await new Promise(setImmediate)
    scheduler.add(all[1])
    scheduler.add(all[2])
    const more = sequence(engine, { ids: [9], maxTokens: 2 })
    expect(() => scheduler.add(more)).toThrow('2 sequences wait')
    await Promise.all(all.map(({ done }) => done))
    scheduler.add(more)
    expect(await more.done).toEqual(alone(more.start))
  })

  it('ends an aborted sequence at once, wherever it is, and no other', async () => {
    const { engine, scheduler } = create({ maxSequences: 2 })
    const controllers = count(4).map(() => new AbortController())
    const all = controllers.map(({ signal }, i) =>
      sequence(engine, { ids: count(50, i), maxTokens: 50, seed: 20 + i }, signal),
    )
    for (const one of all) scheduler.add(one)
    controllers[1].abort(new Error('enough of 1'))
    controllers[3].abort(new Error('enough of 3'))
    await expect(all[1].done).rejects.toThrow('enough of 1')
    await expect(all[3].done).rejects.toThrow('enough of 3')
    expect(await all[0].done).toEqual(alone(all[0].start))
    expect(await all[2].done).toEqual(alone(all[2].start))
    await expectIdle(engine, scheduler)
  })

  it('ends a sequence that fails by itself, and no other', async () => {
    const { engine, scheduler } = create({ maxSequences: 3 })
    const all = count(3).map((_, i) => sequence(engine, { ids: count(40, i), maxTokens: 40, seed: 60 + i }))
    const accept = all[1].accept.bind(all[1])
    all[1].accept = (sampled) =>
      all[1].ids.length < 3 ? accept(sampled) : all[1].fail(new Error('not finite'))
    for (const one of all) scheduler.add(one)
    await expect(all[1].done).rejects.toThrow('not finite')
    expect(await all[0].done).toEqual(alone(all[0].start))
    expect(await all[2].done).toEqual(alone(all[2].start))
    await expectIdle(engine, scheduler)
  })

  it('takes turns where pages run out: the youngest waits, and goes on exactly as it was', async () => {
    const { engine, scheduler } = create({ pages: 6, maxSequences: 4 })
    const seeds = [31, 32, 33, 34].map((seed, i) => ({ ids: count(60, i), maxTokens: 150, seed }))
    const all = seeds.map((wish) => sequence(engine, wish))
    for (const one of all) {
      ;(one.start.stopIds as number[]).length = 0
      scheduler.add(one)
    }
    for (const one of all) expect(await one.done).toEqual(alone(one.start))
    expect(scheduler.counts.suspensions).toBeGreaterThan(0)
    await expectIdle(engine, scheduler)
  })

  it('ends all with the same error when the device is lost, and whoever comes later', async () => {
    const { engine, scheduler } = create()
    const all = count(6).map((seed) => sequence(engine, { ids: count(30, seed), maxTokens: 200, seed }))
    for (const one of all) scheduler.add(one)
    await new Promise(setImmediate)
    const work = scheduler.exclusively(async () => {})
    engine.failure = new Error('gone')
    await expect(work).rejects.toThrow('gone')
    for (const one of all) await expect(one.done.then((ids) => ids.length)).rejects.toThrow('gone')
    expect(() => scheduler.add(sequence(engine, { ids: [1], maxTokens: 1 }))).toThrow('gone')
    await expect(scheduler.exclusively(async () => {})).rejects.toThrow('gone')
  })

  it('lets work have the engine for itself: after what came before, and before what comes later', async () => {
    const { engine, scheduler } = create()
    const order: string[] = []
    const before = sequence(engine, { ids: count(40), maxTokens: 10, seed: 3 })
    const later = sequence(engine, { ids: count(4), maxTokens: 1, seed: 4 })
    scheduler.add(before)
    const work = scheduler.exclusively(async () => {
      expect(scheduler.load.running).toBe(0)
      order.push('work')
    })
    scheduler.add(later)
    before.done.then(() => order.push('before'))
    later.done.then(() => order.push('later'))
    await Promise.all([before.done, later.done, work])
    await new Promise(setImmediate)
    expect(order).toEqual(['before', 'work', 'later'])
  })
})

describe('random sequences on a scheduler', () => {
  const wish = fc.record({
    // Beginnings that are often the same, also within a page.
    ids: fc
      .tuple(fc.nat(150), fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 30 }))
      .map(([stem, tail]) => [...count(stem), ...tail]),
    maxTokens: fc.integer({ min: 1, max: 90 }),
    prefix: fc.constantFrom(undefined, undefined, 0, 1, 2),
    prefixStrength: fc.constantFrom(1, 0.5),
    seed: fc.nat(50),
    stopIds: fc.constantFrom([0], [], [1, 2]),
    /** Turns of the event loop before it comes. */
    wait: fc.nat(12),
    /** Turns after which it is aborted, if it is. */
    abortAfter: fc.option(fc.nat(40), { nil: undefined, freq: 4 }),
  })

  it('get what they get alone, in their turn, and leave no page behind', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(wish, { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 6, max: 20 }),
        fc.integer({ min: 1, max: 70 }),
        fc.infiniteStream(fc.nat(3)),
        async (wishes, maxSequences, pages, chunkTokens, delays) => {
          const delay = () => delays.next().value
          const { engine, scheduler } = create({ maxSequences, pages, chunkTokens, delay })
          const checks: Promise<void>[] = []
          for (const { wait, abortAfter, ...rest } of wishes) {
            for (let turn = 0; turn < wait; turn++) await new Promise(setImmediate)
            const controller = new AbortController()
            const one = sequence(engine, rest, controller.signal)
            scheduler.add(one)
            const expected = alone(one.start)
            const check = async () => {
              for (let turn = 0; turn < (abortAfter ?? 0); turn++) await new Promise(setImmediate)
              if (abortAfter !== undefined) controller.abort(new Error('aborted'))
              try {
                expect(await one.done).toEqual(expected)
              } catch (error) {
                if (abortAfter === undefined || (error as Error).message !== 'aborted') throw error
                expect(expected.slice(0, one.ids.length)).toEqual(one.ids)
              }
            }
            checks.push(check())
          }
          await Promise.all(checks)
          await expectIdle(engine, scheduler)
        },
      ),
      { numRuns: 120, timeout: 10_000 },
    )
  }, 120_000)
})
