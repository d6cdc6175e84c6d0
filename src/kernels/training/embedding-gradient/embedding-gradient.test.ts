import { describe, expect, it } from 'vitest'
import { gatherRowsReference } from '../../layers/gather-rows/gather-rows.reference.js'
import { describeOnGpu, skipRepeatedOnSoftware } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal, randomSource } from '../../testing/numbers.js'
import { compileEmbeddingGradient } from './embedding-gradient.js'
import { embeddingGradientReference } from './embedding-gradient.reference.js'
import { embeddingGroups } from './embedding-groups.js'

describe('the reference of the gradient of an embedding table', () => {
  it('is the derivative of the rows that are picked from the table', () => {
    const [tokens, width, ids] = [4, 3, [2, 0, 2, 3]]
    const [table, dx] = [randomNormal(tokens * width, 1), randomNormal(ids.length * width, 2)]
    const expected = numericGradient((at) => dot(gatherRowsReference(at, ids, width), dx), table)
    expectClose(embeddingGradientReference(ids, dx, tokens, width), expected, 1e-8)
  })
})

describeOnGpu('gradient of an embedding table', (test) => {
  skipRepeatedOnSoftware(test)

  const run = async (ids: readonly number[], tokens: number, width: number, scale: number) => {
    const dx = new Float32Array((ids.length + 3) * width).fill(Number.NaN)
    dx.set(randomNormal(ids.length * width, 1))
    const before = randomNormal(tokens * width, 2)
    const { order, groups } = embeddingGroups(ids)
    const kernel = await compileEmbeddingGradient(test().gpu, { width })
    const dw = test().input(before, 'dw')
    const buffers = {
      dx: test().input(dx),
      order: test().input(order),
      groups: test().input(groups),
      scale: test().input(new Float32Array([scale])),
      dw,
    }
    test().run(kernel.bind('gradient', buffers), groups.length / 3)
    const sums = embeddingGradientReference(ids, dx.subarray(0, ids.length * width), tokens, width)
    const expected = sums.map((sum, i) => before[i] + scale * sum)
    return { actual: await test().floats(dw), expected, before }
  }

  const random = randomSource(3)
  const many = Array.from({ length: 200 }, () => Math.floor(30 * random()))

  for (const [what, ids, tokens, width] of [
    ['a single number', [0], 1, 1],
    ['a token of each row', [4, 0, 2], 5, 31],
    ['one token of all rows', [1, 1, 1, 1, 1], 3, 256],
    ['many rows of few tokens', many, 30, 300],
  ] as const) {
    it(`is added, scaled, for ${what}, with a width of ${width}`, async () => {
      const { actual, expected } = await run(ids, tokens, width, 0.375)
      expectClose(actual, expected, 2e-6)
    })
  }

  it('leaves tokens alone that do not occur', async () => {
    const { actual, before } = await run([3, 1, 3], 6, 40, 1)
    for (const token of [0, 2, 4, 5]) {
      const row = [token * 40, (token + 1) * 40] as const
      expect(actual.subarray(...row)).toEqual(before.subarray(...row))
    }
  })

  it('is the same to the bit each time', async () => {
    const { actual } = await run(many, 30, 70, 3)
    expect((await run(many, 30, 70, 3)).actual).toEqual(actual)
  })

  it('refuses rows without elements', async () => {
    await expect(compileEmbeddingGradient(test().gpu, { width: 0 })).rejects.toThrow('rows of 0')
  })
})
