import { describe, expect, it } from 'vitest'
import { rmsNormReference } from '../../layers/rms-norm/rms-norm.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileRmsNormWeightGradient } from './rms-norm-weight-gradient.js'
import { rmsNormWeightGradientReference } from './rms-norm-weight-gradient.reference.js'

describe("the reference of the gradient of RMSNorm's weight", () => {
  it('is the derivative of the reference of RMSNorm', () => {
    const [x, weight, dy] = [randomNormal(21, 1), randomNormal(7, 2), randomNormal(21, 3)]
    const expected = numericGradient((at) => dot(rmsNormReference(x, at, 1e-2), dy), weight)
    expectClose(rmsNormWeightGradientReference(x, dy, 7, 1e-2), expected, 1e-8)
  })
})

describeOnGpu("gradient of RMSNorm's weight", (test) => {
  const run = async (rows: number, maxRows: number, width: number, factor: number, epsilon = 1e-5) => {
    const [x, dy] = [1, 2].map((seed) => {
      const roomy = new Float32Array(maxRows * width).fill(Number.NaN)
      roomy.set(randomNormal(rows * width, seed, 3))
      return roomy
    })
    // Rows of different sizes, so that a row's scale taken for another's shows.
    for (let i = 0; i < rows * width; i++) x[i] *= 1 + (Math.floor(i / width) % 7)
    const before = randomNormal(width, 3)
    const constants = { width, epsilon, maxRows }
    const { scratchBytes, bind } = await compileRmsNormWeightGradient(test().gpu, constants)
    const [dw, scratch] = [test().input(before, 'dw'), test().output(scratchBytes / 4, 'scratch')]
    const buffers = {
      x: test().input(x),
      dy: test().input(dy),
      rows: test().input(new Uint32Array([rows])),
      scale: test().input(new Float32Array([factor])),
      dw,
      scratch,
    }
    test().run(bind('gradient', buffers))
    const end = rows * width
    const sums = rmsNormWeightGradientReference(x.subarray(0, end), dy.subarray(0, end), width, epsilon)
    await test().words(scratch)
    const expected = sums.map((sum, i) => before[i] + factor * sum)
    return { actual: await test().floats(dw), expected, before }
  }

  for (const [rows, maxRows, width] of [
    [1, 1, 1],
    [3, 20, 31],
    [16, 16, 32],
    [18, 50, 257],
    [131, 150, 1408],
  ]) {
    it(`is added, scaled, for ${rows} rows of ${width} in room for ${maxRows}`, async () => {
      const { actual, expected } = await run(rows, maxRows, width, 0.375)
      expectClose(actual, expected, 2e-6)
    })
  }

  it('takes epsilon into account', async () => {
    const { actual, expected } = await run(5, 5, 8, 1, 20)
    expectClose(actual, expected, 2e-6)
  })

  it('stays as it was where there are no rows', async () => {
    const { actual, before } = await run(0, 20, 33, 1)
    expect(actual).toEqual(before)
  })

  it('is the same to the bit each time', async () => {
    const { actual } = await run(100, 128, 70, 3)
    expect((await run(100, 128, 70, 3)).actual).toEqual(actual)
  })
})
