import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeOnGpu, skipRepeatedOnSoftware, type TestGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { randomCache } from '../../testing/paged-cache.js'
import {
  type AttentionPrefillConstants,
  canRunAttentionPrefill,
  canRunAttentionPrefillOnMatrices,
  compileAttentionPrefill,
} from './attention-prefill.js'
import { attentionReference } from './attention-prefill.reference.js'

interface Chunk {
  readonly slot: number
  readonly start: number
  readonly count: number
  readonly prefixLength: number
}

/** Rows that buffers have room for: the same for all cases, so that they share their kernels. */
const MAX_ROWS = 32

/** Runs the kernel over a random cache of two slots and checks its output against the reference's. */
async function check(
  test: TestGpu,
  shape: Omit<AttentionPrefillConstants, 'maxRows' | 'slotPages'>,
  { slot, start, count, prefixLength }: Chunk,
  { strength = 1, deviation = 1, maxRows = MAX_ROWS, halfTolerance = 4e-3 } = {},
) {
  const { heads, kvGroups, headDim } = shape
  const width = kvGroups * headDim
  const qkvWidth = (heads + 2 * kvGroups) * headDim
  // What lies behind the last row is not to be read: NaN.
  const end = prefixLength + start + maxRows
  const qkv = randomNormal(maxRows * qkvWidth, 1, deviation)
  // As many pages for all, so that cases share their kernels.
  const cache = randomCache(test, { slots: 2, rows: Math.max(end, 150), width, strength, end })
  const constants = { ...shape, maxRows, slotPages: cache.slotPages }
  const prefixBias = Math.log(strength)
  const onMatrices = canRunAttentionPrefillOnMatrices(test.gpu, constants)
  const attention = await compileAttentionPrefill(test.gpu, constants, { onMatrices })
  const y = test.output(maxRows * heads * headDim, 'y')
  const rows = Array.from({ length: maxRows }, (_, i) => [1, slot, start + i, prefixLength]).flat()
  const dispatches = attention.bind('attention', {
    ...cache,
    rows: test.input(new Uint32Array(rows)),
    qkv: test.input(qkv),
    y,
  })
  test.run(dispatches, count)

  const slotKeys = cache.rowsOf('keys', slot, end)
  const slotValues = cache.rowsOf('values', slot, end)
  const expected = Array.from({ length: count }, (_, row) => {
    const query = qkv.subarray(row * qkvWidth, row * qkvWidth + heads * headDim)
    const rowEnd = prefixLength + start + row + 1
    return Array.from(
      attentionReference(query, slotKeys, slotValues, constants, rowEnd, prefixLength, prefixBias),
    )
  }).flat()
  const actual = (await test.floats(y)).subarray(0, expected.length)
  expectClose(actual, expected, onMatrices ? halfTolerance : 1e-5)
}

describeOnGpu('attention of a prefill chunk', (test) => {
  skipRepeatedOnSoftware(test)
  const shape = { heads: 4, kvGroups: 2, headDim: 16 }

  for (const [start, count, prefixLength] of [
    [0, 1, 0],
    [0, 19, 0],
    [30, 13, 0],
    [0, 20, 33],
    [5, 8, 1],
    [0, 32, 48],
  ]) {
    it(`attends for ${count} rows from position ${start} on behind a prefix of ${prefixLength}`, async () => {
      await check(test(), shape, { slot: 1, start, count, prefixLength })
    })
  }

  it('weighs the prefix by its strength, down to almost nothing', async () => {
    for (const strength of [0.5, 1e-30]) {
      await check(test(), shape, { slot: 1, start: 3, count: 5, prefixLength: 40 }, { strength })
    }
  })

  it('has more heads than a tile has lines, and one group', async () => {
    const many = { heads: 40, kvGroups: 1, headDim: 16 }
    await check(test(), many, { slot: 0, start: 1, count: 3, prefixLength: 2 })
  })

  it('has the shape of ChatGLM3: 16 heads of 128 to a group', async () => {
    const chatglm = { heads: 32, kvGroups: 2, headDim: 128 }
    await check(test(), chatglm, { slot: 1, start: 7, count: 6, prefixLength: 37 })
  })

  for (const headDim of [48, 80, 96]) {
    it(`has heads of ${headDim}, which are no power of two`, async () => {
      const odd = { heads: 6, kvGroups: 2, headDim }
      await check(test(), odd, { slot: 1, start: 3, count: 9, prefixLength: 30 })
    })
  }

  it('has any heads that it says it can run, drawn at random', async () => {
    const { gpu } = test()
    const shapes = fc
      .record({
        headDim: fc.integer({ min: 1, max: gpu.software ? 100 : 300 }),
        kvGroups: fc.integer({ min: 1, max: 3 }),
      })
      .chain(({ headDim, kvGroups }) =>
        fc.integer({ min: 1, max: 5 }).map((share) => ({ heads: share * kvGroups, kvGroups, headDim })),
      )
      .filter((drawn) => canRunAttentionPrefill(gpu, drawn))
    // A software adapter compiles each for a second or more.
    for (const drawn of fc.sample(shapes, { seed: 16, numRuns: gpu.software ? 1 : 40 })) {
      await check(test(), drawn, { slot: 1, start: 2, count: 7, prefixLength: 33 })
    }
  }, 180_000)

  it('follows scores that rise by hundreds from tile to tile', async () => {
    const chatglm = { heads: 4, kvGroups: 2, headDim: 128 }
    const chunk = { slot: 0, start: 60, count: 20, prefixLength: 50 }
    // Scores of hundreds, of factors rounded to f16, are off by tenths: so are then the weights.
    await check(test(), chatglm, chunk, { deviation: 30, halfTolerance: 3e-2 })
  })

  it('leaves the rows of its buffers that are not dispatched to themselves', async () => {
    await check(test(), shape, { slot: 0, start: 0, count: 5, prefixLength: 0 }, { maxRows: 70 })
  })

  it('refuses heads that do not divide into groups, or into 16 elements', async () => {
    const compile = (heads: typeof shape) =>
      compileAttentionPrefill(test().gpu, { ...heads, maxRows: 1, slotPages: 1 }, { onMatrices: false })
    await expect(compile({ ...shape, heads: 5 })).rejects.toThrow('5 heads')
    await expect(compile({ ...shape, headDim: 20 })).rejects.toThrow('heads of 20')
  })
})
