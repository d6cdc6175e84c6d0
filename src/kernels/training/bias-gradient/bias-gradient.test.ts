import { describe, expect, it } from 'vitest'
import { matmulFloatReference } from '../../linear/matmul-float/matmul-float.reference.js'
import { describeOnGpu, skipRepeatedOnSoftware } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileBiasGradient } from './bias-gradient.js'
import { biasGradientReference } from './bias-gradient.reference.js'

describe('the reference of the gradient of a bias', () => {
  it('is the derivative of the reference of a linear layer', () => {
    const [rows, width] = [4, 3]
    const [product, bias] = [randomNormal(rows * width, 1), randomNormal(width, 2)]
    const dy = randomNormal(rows * width, 3)
    const layer = (at: ArrayLike<number>) =>
      matmulFloatReference(
        { rows, outputs: width, depth: 1 },
        (r) => product[r],
        () => 1,
        at,
      )
    expectClose(
      biasGradientReference(dy, width),
      numericGradient((at) => dot(layer(at), dy), bias),
      1e-8,
    )
  })
})

describeOnGpu('gradient of a bias', (test) => {
  skipRepeatedOnSoftware(test)

  const run = async (rows: number, maxRows: number, width: number, scale: number) => {
    const dy = new Float32Array(maxRows * width).fill(Number.NaN)
    dy.set(randomNormal(rows * width, 1))
    const before = randomNormal(width, 2)
    const { scratchBytes, bind } = await compileBiasGradient(test().gpu, { width, maxRows })
    const [db, scratch] = [test().input(before, 'db'), test().output(scratchBytes / 4, 'scratch')]
    const buffers = {
      dy: test().input(dy),
      rows: test().input(new Uint32Array([rows])),
      scale: test().input(new Float32Array([scale])),
      db,
      scratch,
    }
    test().run(bind('gradient', buffers))
    const sums = biasGradientReference(dy.subarray(0, rows * width), width)
    await test().words(scratch)
    const expected = sums.map((sum, i) => before[i] + scale * sum)
    return { actual: await test().floats(db), expected, before }
  }

  for (const [rows, maxRows, width] of [
    [1, 1, 1],
    [15, 40, 31],
    [16, 16, 32],
    [17, 33, 65],
    [333, 600, 300],
  ]) {
    it(`is added, scaled, for ${rows} rows of ${width} in room for ${maxRows}`, async () => {
      const { actual, expected } = await run(rows, maxRows, width, -0.375)
      expectClose(actual, expected, 2e-6)
    })
  }

  it('stays as it was where there are no rows', async () => {
    const { actual, before } = await run(0, 20, 33, 1)
    expect(actual).toEqual(before)
  })

  it('is the same to the bit each time', async () => {
    const { actual } = await run(500, 512, 70, 3)
    expect((await run(500, 512, 70, 3)).actual).toEqual(actual)
  })

  it('does not even add zero behind the end', async () => {
    const { scratchBytes, bind } = await compileBiasGradient(test().gpu, { width: 33, maxRows: 1 })
    // A zero that is added turns -0 into 0.
    const db = test().input(new Float32Array(100).fill(-0), 'db')
    const buffers = {
      dy: test().input(randomNormal(33, 1)),
      rows: test().input(new Uint32Array([1])),
      scale: test().input(new Float32Array([1])),
      db,
      scratch: test().output(scratchBytes / 4, 'scratch'),
    }
    test().run(bind('gradient', buffers))
    const words = await test().words(db)
    expect(words.subarray(0, 33)).not.toContain(0x8000_0000)
    expect(words.subarray(33).every((word) => word === 0x8000_0000)).toBe(true)
  })

  it.each([
    [0, 5, 'rows of 0'],
    [5, 0, 'room for 0 rows'],
    [5, 2_000_000, 'room for 2000000 rows'],
  ])('refuses rows of %i with room for %i', async (width, maxRows, message) => {
    await expect(compileBiasGradient(test().gpu, { width, maxRows })).rejects.toThrow(message)
  })
})
