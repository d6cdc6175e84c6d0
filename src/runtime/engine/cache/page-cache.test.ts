import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PAGE_ROWS } from '../../../kernels/index.js'
import { type Lease, PageCache, type PageMemory } from './page-cache.js'

interface TestPrefix {
  readonly name: string
  readonly length: number
}

/** A cache of texts: each row says what its keys and values were computed from. */
class TextMemory implements PageMemory<TestPrefix> {
  readonly rows: (string | undefined)[]

  constructor(pages: number) {
    this.rows = new Array(pages * PAGE_ROWS).fill(undefined)
  }

  copyRows(from: number, to: number, rows: number): void {
    expect(from).not.toBe(to)
    for (let row = 0; row < rows; row++) this.rows[to * PAGE_ROWS + row] = this.rows[from * PAGE_ROWS + row]
  }

  copyPrefix(prefix: TestPrefix, firstRow: number, rows: number, page: number): void {
    expect(firstRow + rows).toBeLessThanOrEqual(prefix.length)
    for (let row = 0; row < rows; row++)
      this.rows[page * PAGE_ROWS + row] = `${prefix.name} row ${firstRow + row}`
  }
}

/** A cache, and sequences that compute into it as an engine does. */
class World {
  readonly memory: TextMemory
  readonly cache: PageCache<TestPrefix>

  constructor(pages: number) {
    this.memory = new TextMemory(pages)
    this.cache = new PageCache(pages, this.memory)
  }

  at({ pages }: Lease<TestPrefix>, row: number): number {
    return pages[Math.floor(row / PAGE_ROWS)] * PAGE_ROWS + (row % PAGE_ROWS)
  }

  /** What the row of a position must hold. */
  text({ prefix, strength }: Lease<TestPrefix>, ids: readonly number[], position: number): string {
    return `${prefix?.name} ${strength}: ${ids.slice(0, position + 1).join(' ')}`
  }

  /** Computes the ids that follow those that are there. */
  compute(lease: Lease<TestPrefix>, ids: readonly number[]): void {
    const all = [...lease.ids, ...ids]
    for (let position = lease.ids.length; position < all.length; position++) {
      this.memory.rows[this.at(lease, (lease.prefix?.length ?? 0) + position)] = this.text(
        lease,
        all,
        position,
      )
    }
    this.cache.append(lease, ids)
  }

  /** Whether a sequence still finds everything that it computed, shared or copied. */
  check(lease: Lease<TestPrefix>): void {
    const { prefix, ids } = lease
    const before = prefix?.length ?? 0
    for (let row = 0; row < before; row++) {
      expect(this.memory.rows[this.at(lease, row)]).toBe(`${prefix?.name} row ${row}`)
    }
    ids.forEach((_, position) => {
      expect(this.memory.rows[this.at(lease, before + position)]).toBe(this.text(lease, ids, position))
    })
  }

  /** Opens a sequence and computes its prompt. */
  start(ids: readonly number[], prefix?: TestPrefix, strength = 1): Lease<TestPrefix> {
    const lease = this.cache.open(prefix, strength, ids)
    if (!lease) throw new Error('no pages')
    this.compute(lease, ids.slice(lease.cached))
    this.check(lease)
    return lease
  }
}

const count = (length: number, from = 0) => Array.from({ length }, (_, i) => from + i)

describe('the pages of sequences', () => {
  it('are shared where prompts begin alike, also while both run', () => {
    const world = new World(20)
    const first = world.start(count(200))
    const second = world.start([...count(150), 7, 7])
    expect(second.cached).toBe(150)
    expect(second.pages.slice(0, 2)).toEqual(first.pages.slice(0, 2))
    expect(second.pages[2]).not.toBe(first.pages[2])
    world.check(first)
  })

  it('are found again after the sequence has ended, to the id', () => {
    const world = new World(4)
    world.cache.close(world.start(count(100)))
    const next = world.start([...count(100), 5, 6])
    expect(next.cached).toBe(100)
    world.cache.close(next)
    expect(world.start([...count(100), 5, 6]).cached).toBe(101)
  })

  it('leave the last id to compute', () => {
    const world = new World(8)
    for (const length of [1, 2, 63, 64, 65, 128]) {
      const lease = world.start(count(length, 1000 * length))
      world.cache.close(lease)
      const again = world.start(count(length, 1000 * length))
      expect(again.cached).toBe(length - 1)
      world.cache.close(again)
    }
  })

  it('hold a prefix once for all', () => {
    const world = new World(2 + 5 * 2)
    const prefix = { name: 'p', length: 128 }
    const leases = count(5).map((i) => world.start([i, ...count(70)], prefix))
    for (const lease of leases) expect(lease.pages.slice(0, 2)).toEqual(leases[0].pages.slice(0, 2))
    expect(world.cache.free).toBe(0)
  })

  it('have the end of a prefix that fills no page before their own rows', () => {
    const world = new World(20)
    const prefix = { name: 'p', length: 100 }
    const first = world.start(count(60), prefix)
    const second = world.start([...count(30), 9], prefix)
    expect(second.cached).toBe(30)
    expect(second.pages[0]).toBe(first.pages[0])
    expect(second.pages[1]).toBe(first.pages[1])
    expect(second.pages[2]).not.toBe(first.pages[2])
  })

  it('are not shared between prefixes or strengths', () => {
    const world = new World(20)
    const prefix = { name: 'p', length: 3 }
    world.start(count(70))
    world.start(count(70), prefix)
    expect(world.start(count(70), prefix, 0.5).cached).toBe(0)
    expect(world.start(count(70), { name: 'q', length: 3 }).cached).toBe(0)
  })

  it('are given up where others need them, what was not used for the longest first', () => {
    const world = new World(6)
    for (const first of [100, 200, 300]) world.cache.close(world.start(count(70, first)))
    world.cache.close(world.start(count(70, 100)))
    const lease = world.start(count(100, 900))
    expect(lease.cached).toBe(0)
    world.cache.close(lease)
    expect(world.start(count(70, 100)).cached).toBe(69)
  })

  it('are refused, with nothing changed, where running sequences hold all', () => {
    const world = new World(4)
    const lease = world.start(count(130))
    expect(world.cache.open(undefined, 1, count(70, 500))).toBeUndefined()
    expect(world.cache.free).toBe(1)
    const before = [...world.memory.rows]
    expect(world.cache.open(undefined, 1, [...count(100), ...count(100, 500)])).toBeUndefined()
    expect(world.memory.rows).toEqual(before)
    expect(world.cache.grow(lease, 256)).toBe(true)
    expect(world.cache.grow(lease, 257)).toBe(false)
    world.cache.close(lease)
    expect(world.start(count(200, 500)).cached).toBe(0)
  })

  it('of ended sequences are not given up for one that finds no room all the same', () => {
    const world = new World(4)
    world.cache.close(world.start(count(70, 300)))
    const lease = world.start(count(90))
    expect(world.cache.open(undefined, 1, count(140, 500))).toBeUndefined()
    world.cache.close(lease)
    expect(world.start(count(70, 300)).cached).toBe(69)
  })

  it('let one sequence have all of them, although the last used others', () => {
    const world = new World(3)
    const prefix = { name: 'p', length: 70 }
    world.cache.close(world.start(count(100)))
    world.cache.close(world.start(count(100, 50), prefix))
    world.cache.close(world.start([...count(60), 3]))
    world.start(count(191, 7))
  })

  it('are not found again where they are spoiled', () => {
    const world = new World(8)
    const lease = world.start(count(100))
    world.cache.close(lease, true)
    expect(world.start(count(100)).cached).toBe(0)
  })

  it('of a prefix that is released are free', () => {
    const world = new World(8)
    const prefix = { name: 'p', length: 130 }
    world.cache.close(world.start(count(100), prefix))
    world.cache.release(prefix)
    expect(world.cache.free).toBe(8)
  })
})

describe('random sequences', () => {
  // Few different ids and a common stem, so that beginnings are often shared, also within a page.
  const stem = count(300, 10)
  const prompt = fc
    .tuple(fc.nat(300), fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 90 }))
    .map(([length, tail]) => [...stem.slice(0, length), ...tail])
  const start = fc.record({
    kind: fc.constant('start' as const),
    prompt,
    prefix: fc.constantFrom(undefined, 0, 1, 2),
    strength: fc.constantFrom(1, 0.5),
  })
  const other = fc.record({
    kind: fc.constantFrom('step' as const, 'end' as const, 'spoil' as const, 'step' as const),
    which: fc.nat(20),
    ids: fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 70 }),
  })
  const PREFIXES = [64, 100, 3].map((length, i) => ({ name: `p${i}`, length }))

  it('find exactly what they computed, and no page is lost or held twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 4, max: 30 }),
        fc.array(fc.oneof(start, other), { maxLength: 40 }),
        (pages, actions) => {
          const world = new World(pages)
          const running: Lease<TestPrefix>[] = []
          for (const action of actions) {
            if (action.kind === 'start') {
              const prefix = action.prefix === undefined ? undefined : PREFIXES[action.prefix]
              const lease = world.cache.open(prefix, action.strength, action.prompt)
              if (lease) {
                expect(lease.cached).toBeLessThan(action.prompt.length)
                world.check(lease)
                world.compute(lease, action.prompt.slice(lease.cached))
                running.push(lease)
              }
            } else if (running.length > 0) {
              const lease = running[action.which % running.length]
              if (action.kind === 'step') {
                if (world.cache.grow(lease, lease.ids.length + action.ids.length))
                  world.compute(lease, action.ids)
              } else {
                running.splice(running.indexOf(lease), 1)
                world.cache.close(lease, action.kind === 'spoil')
              }
            }
            for (const lease of running) world.check(lease)
          }
          for (const lease of running) world.cache.close(lease)
          world.cache.forget()
          expect(world.cache.free).toBe(pages)
        },
      ),
      { numRuns: 200 },
    )
  })
})
