/** What is done again and again leaves nothing behind: the short form of `npm run soak`. */
import { describe, expect, it } from 'vitest'
import { growth, soak } from './soak.js'
import { WORKS } from './works.js'

/** Bytes of the heap that a third of the rounds may add: compiled code, and what tests keep. */
const SLACK = 2 ** 20
const ROUNDS: Readonly<Record<string, number>> = {
  'downloads with faults': 6,
  'trainings, without a GPU': 18,
}

describe('memory stays as it is, after', () => {
  it.each(WORKS.filter(({ slow }) => !slow).map((work) => [work.name, work] as const))(
    '%s',
    async (name, work) => {
      const result = await soak(work, { seed: 1, rounds: ROUNDS[name] ?? 48, samples: 6 })
      expect(growth(result, 'heap')).toBeLessThan(SLACK)
    },
  )
})
