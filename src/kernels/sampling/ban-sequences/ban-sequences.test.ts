import { describe, expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { randomSource } from '../../testing/numbers.js'
import { BANNED_SCORE } from '../sample/parameters.js'
import { sequenceWords } from '../sample/sequence.js'
import { bannedSequenceWords, compileBanSequences } from './ban-sequences.js'
import { bannedIdsReference } from './ban-sequences.reference.js'

const VOCABULARY = 7
const CAPACITY = 4
const constants = { vocabulary: VOCABULARY, historyCapacity: CAPACITY, bannedCapacity: 800 }

/** The ring that holds the last ids of `history`. */
function ring(history: readonly number[]): number[] {
  const ids = new Array<number>(CAPACITY).fill(0xffff_ffff)
  history.forEach((id, i) => {
    ids[i % CAPACITY] = id
  })
  return ids
}

describeOnGpu('banned sequences', (test) => {
  /** The banned ids of each row, as the kernel leaves them in the scores. */
  const bannedIds = async (
    histories: readonly (readonly number[])[],
    sequences: readonly (readonly number[])[] | ((row: number) => readonly (readonly number[])[]),
  ) => {
    const bans = typeof sequences === 'function' ? sequences : () => sequences
    const rows = histories.length
    // Row r is in slot rows - r; slot 0 is nobody's, and bans everything.
    const bySlot = <T>(first: T, of: (row: number) => T) =>
      Array.from({ length: rows + 1 }, (_, slot) => (slot === 0 ? first : of(rows - slot)))
    const tables = bySlot(
      [...Array(VOCABULARY).keys()].map((id) => [id]),
      (row) => bans(row),
    )
    const banned = new Uint32Array((rows + 1) * constants.bannedCapacity)
    tables.forEach((table, slot) => {
      banned.set(bannedSequenceWords(table, constants), slot * constants.bannedCapacity)
    })
    const starts = bySlot(0, (row) => histories[row].length).map((historyLength) =>
      sequenceWords({ row: [0, 0, 0, 0], seed: 0, positionLimit: 9, historyLength }),
    )
    const scores = test().input(new Float32Array(rows * VOCABULARY).fill(1.5), 'scores')
    const ban = await compileBanSequences(test().gpu, constants)
    const buffers = {
      rows: test().input(
        Uint32Array.from(Array.from({ length: rows }, (_, r) => [1, rows - r, 5, 0]).flat()),
      ),
      banned: test().input(banned),
      history: test().input(Uint32Array.from(bySlot([], (row) => [...histories[row]]).flatMap(ring))),
      sequences: test().input(Uint32Array.from(starts.flatMap((words) => [...words]))),
      scores,
    }
    test().run(ban.bind('ban-sequences', buffers), rows)
    const left = await test().floats(scores)
    expect(left.every((score) => score === 1.5 || score === BANNED_SCORE)).toBe(true)
    return histories.map(
      (_, row) =>
        new Set([...Array(VOCABULARY).keys()].filter((id) => left[row * VOCABULARY + id] === BANNED_SCORE)),
    )
  }

  it('ban a single id always', async () => {
    expect(await bannedIds([[], [1, 2]], [[3], [6]])).toEqual([new Set([3, 6]), new Set([3, 6])])
  })

  it('of two to five ids ban the last after the others, in order and without a gap', async () => {
    const sequences = [
      [1, 2],
      [1, 2, 3],
      [0, 1, 2, 4],
      [5, 0, 1, 2, 6],
    ]
    const histories = [
      [1],
      [1, 2],
      [2, 1],
      [1, 0, 2],
      [0, 1, 2],
      [5, 0, 1, 2],
      [5, 0, 1, 2, 3],
      [3, 5, 0, 1, 2],
    ]
    expect(await bannedIds(histories, sequences)).toEqual([
      new Set([2]),
      new Set([3]),
      new Set([2]),
      new Set([]),
      new Set([3, 4]),
      new Set([3, 4, 6]),
      new Set([]),
      new Set([3, 4, 6]),
    ])
  })

  it('equal the reference for many sequences and histories that go round the ring', async () => {
    const random = randomSource(4)
    const list = (length: number, ids: number) => Array.from({ length }, () => Math.floor(random() * ids))
    const sequences = Array.from({ length: 90 }, () => list(2 + Math.floor(random() * 4), 3))
    const histories = Array.from({ length: 20 }, (_, length) => list(length, 3))
    expect(await bannedIds(histories, sequences)).toEqual(
      histories.map((history) => bannedIdsReference(history, sequences)),
    )
  })

  it('are those of each row', async () => {
    const sequences = [
      [[1]],
      [],
      [
        [2, 3],
        [2, 4],
      ],
    ]
    expect(await bannedIds([[2], [2], [2]], (row) => sequences[row])).toEqual([
      new Set([1]),
      new Set(),
      new Set([3, 4]),
    ])
  })

  it('may be none', async () => {
    expect(await bannedIds([[1, 2]], [])).toEqual([new Set()])
  })
})

describe('the table of banned sequences', () => {
  it('holds the count, the starts, the end and the ids', () => {
    expect([...bannedSequenceWords([[5], [1, 2]], constants)]).toEqual([2, 4, 5, 7, 5, 1, 2])
  })

  it('rejects sequences that are empty, too long or outside the vocabulary', () => {
    expect(() => bannedSequenceWords([[]], constants)).toThrow('0 ids')
    expect(() => bannedSequenceWords([[1, 1, 1, 1, 1, 1]], constants)).toThrow('6 ids')
    expect(() => bannedSequenceWords([[1, 7]], constants)).toThrow('id 7')
  })
})
