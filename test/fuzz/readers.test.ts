import { describe, expect, it } from 'vitest'
import { inputsFor, noCounts, tryInput } from './fuzz.js'
import { truncations } from './mutate.js'
import { READERS } from './readers.js'

/** Changed inputs a reader; `npm run fuzz` tries as many as there is time for. */
const MUTATIONS = 500
const SEED = 1

describe('what strangers wrote is read, or refused by an error of this project', () => {
  it.each(READERS.map((reader) => [reader.name, reader] as const))('%s', async (_, reader) => {
    const counts = noCounts()
    const cut = truncations(reader.inputs).length
    for (const input of inputsFor(reader, SEED)) {
      await tryInput(reader, input, counts)
      if (counts.inputs === cut + MUTATIONS) break
    }
    // The inputs themselves are good: were they refused, nothing behind the first check would be tried.
    expect(counts.read).toBeGreaterThan(0)
  })
})
