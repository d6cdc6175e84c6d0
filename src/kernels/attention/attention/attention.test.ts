import { expect, it } from 'vitest'
import { describeOnGpu, skipRepeatedOnSoftware, type TestGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { randomCache } from '../../testing/paged-cache.js'
import { type AttentionConstants, compileAttention } from './attention.js'
import { attentionReference } from './attention.reference.js'

interface Row {
  readonly slot: number
  readonly position: number
  readonly prefixLength: number
}

type Shape = Omit<AttentionConstants, 'maxRows' | 'slotPages'>

/** Runs the kernel over a random cache of three slots and gives its output beside the reference's. */
async function attend(test: TestGpu, shape: Shape, rows: readonly Row[], strength = 1) {
  const { heads, kvGroups, headDim } = shape
  const width = kvGroups * headDim
  const qkvWidth = (heads + 2 * kvGroups) * headDim
  const qkv = randomNormal(rows.length * qkvWidth, 1, 2)
  const cache = randomCache(test, { slots: 3, rows: 160, width, strength })
  const constants = { ...shape, slotPages: cache.slotPages, maxRows: rows.length }
  const attention = await compileAttention(test.gpu, constants)
  const y = test.output(rows.length * heads * headDim, 'y')
  const dispatches = attention.bind('attention', {
    ...cache,
    rows: test.input(new Uint32Array(rows.flatMap((row) => [1, row.slot, row.position, row.prefixLength]))),
    qkv: test.input(qkv),
    y,
  })
  test.run(dispatches, rows.length)

  const expected = rows.flatMap(({ slot, position, prefixLength }, row) => {
    const end = prefixLength + position + 1
    const [keys, values] = (['keys', 'values'] as const).map((part) => cache.rowsOf(part, slot, end))
    const query = qkv.subarray(row * qkvWidth, row * qkvWidth + heads * headDim)
    return Array.from(
      attentionReference(query, keys, values, constants, end, prefixLength, Math.log(strength)),
    )
  })
  return { actual: await test.floats(y), expected }
}

describeOnGpu('attention', (test) => {
  skipRepeatedOnSoftware(test)
  const shape = { heads: 4, kvGroups: 2, headDim: 16 }

  it('decodes one row of each of several sequences, with and without a prefix', async () => {
    const rows = [
      { slot: 2, position: 0, prefixLength: 0 },
      { slot: 0, position: 31, prefixLength: 0 },
      { slot: 1, position: 60, prefixLength: 7 },
      { slot: 0, position: 63, prefixLength: 0 },
      { slot: 2, position: 64, prefixLength: 0 },
      { slot: 0, position: 159, prefixLength: 0 },
    ]
    const { actual, expected } = await attend(test(), { ...shape, queries: 1 }, rows)
    expectClose(actual, expected, 1e-5)
  })

  for (const [start, count, prefixLength] of [
    [0, 1, 0],
    [0, 19, 0],
    [30, 13, 0],
    [0, 20, 33],
    [5, 8, 1],
    [60, 8, 0],
    [1, 70, 62],
  ]) {
    it(`prefills ${count} rows from position ${start} on behind a prefix of ${prefixLength}`, async () => {
      const rows = Array.from({ length: count }, (_, i) => ({ slot: 1, position: start + i, prefixLength }))
      const { actual, expected } = await attend(test(), { ...shape, queries: 8 }, rows)
      expectClose(actual, expected, 1e-5)
    })
  }

  it('weighs the prefix by its strength, down to almost nothing', async () => {
    for (const strength of [0.5, 1e-30]) {
      const rows = [{ slot: 1, position: 3, prefixLength: 40 }]
      const { actual, expected } = await attend(test(), { ...shape, queries: 1 }, rows, strength)
      expectClose(actual, expected, 1e-5)
    }
  })

  it('has the shape of ChatGLM3: heads of 128', async () => {
    const rows = Array.from({ length: 3 }, (_, i) => ({ slot: 0, position: i, prefixLength: 2 }))
    const constants = { heads: 2, kvGroups: 1, headDim: 128, queries: 8 }
    const { actual, expected } = await attend(test(), constants, rows)
    expectClose(actual, expected, 1e-5)
  })

  it('refuses heads that do not divide into groups', async () => {
    await expect(
      compileAttention(test().gpu, { ...shape, heads: 5, queries: 1, maxRows: 1, slotPages: 1 }),
    ).rejects.toThrow('5 heads')
  })
})
