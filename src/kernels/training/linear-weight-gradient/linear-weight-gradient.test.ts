import { describe, expect, it } from 'vitest'
import { matmulFloatReference } from '../../linear/matmul-float/matmul-float.reference.js'
import { describeOnGpu, skipRepeatedOnSoftware } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileLinearWeightGradient } from './linear-weight-gradient.js'
import { linearWeightGradientReference } from './linear-weight-gradient.reference.js'

describe("the reference of the gradient of a linear layer's weight", () => {
  it('is the derivative of the reference of the layer', () => {
    const [rows, inFeatures, outFeatures] = [4, 3, 5]
    const [x, w] = [randomNormal(rows * inFeatures, 1), randomNormal(outFeatures * inFeatures, 2)]
    const dy = randomNormal(rows * outFeatures, 3)
    const layer = (at: ArrayLike<number>) =>
      matmulFloatReference(
        { rows, outputs: outFeatures, depth: inFeatures },
        (r, i) => x[r * inFeatures + i],
        (o, i) => at[o * inFeatures + i],
      )
    const expected = numericGradient((at) => dot(layer(at), dy), w)
    expectClose(linearWeightGradientReference({ inFeatures, outFeatures }, dy, x), expected, 1e-8)
  })
})

/** Rows as a buffer has them that has room for more: what is behind them is NaN. */
function withRoom(values: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const roomy = new Float32Array(values.length + 3 * width).fill(Number.NaN)
  roomy.set(values)
  return roomy
}

describeOnGpu("gradient of a linear layer's weight", (test) => {
  skipRepeatedOnSoftware(test)

  const run = async (rows: number, inFeatures: number, outFeatures: number, scale: number) => {
    const [dy, x] = [randomNormal(rows * outFeatures, 1), randomNormal(rows * inFeatures, 2)]
    const before = randomNormal(outFeatures * inFeatures, 3)
    const kernel = await compileLinearWeightGradient(test().gpu, { inFeatures, outFeatures })
    const dw = test().input(before, 'dw')
    const buffers = {
      dy: test().input(withRoom(dy, outFeatures)),
      x: test().input(withRoom(x, inFeatures)),
      rows: test().input(new Uint32Array([rows])),
      scale: test().input(new Float32Array([scale])),
      dw,
    }
    test().run(kernel.bind('gradient', buffers))
    const sums = linearWeightGradientReference({ inFeatures, outFeatures }, dy, x)
    const expected = sums.map((sum, i) => before[i] + scale * sum)
    return { actual: await test().floats(dw), expected, before }
  }

  for (const [rows, inFeatures, outFeatures, what] of [
    [1, 1, 1, 'a single number'],
    [5, 12, 20, 'less than a tile'],
    [16, 64, 64, 'whole tiles'],
    [33, 68, 132, 'more than a tile, in quads'],
    [19, 37, 71, 'ragged sizes'],
    [17, 1028, 1020, 'many tiles, in quads'],
    [17, 1027, 1021, 'many tiles, in ragged sizes'],
  ] as const) {
    it(`is added, scaled, for ${what}: ${rows} rows, ${inFeatures} inputs, ${outFeatures} outputs`, async () => {
      const { actual, expected } = await run(rows, inFeatures, outFeatures, 0.375)
      expectClose(actual, expected, 2e-6)
    })
  }

  it('stays as it was where there are no rows', async () => {
    const { actual, before } = await run(0, 20, 36, 1)
    expect(actual).toEqual(before)
  })

  it('is the same to the bit each time', async () => {
    const { actual } = await run(50, 132, 68, -3)
    expect((await run(50, 132, 68, -3)).actual).toEqual(actual)
  })

  it.each([
    [20, 12],
    [21, 13],
  ])('does not even add zero behind the end of %i inputs, %i outputs', async (inFeatures, outFeatures) => {
    const kernel = await compileLinearWeightGradient(test().gpu, { inFeatures, outFeatures })
    const end = inFeatures * outFeatures
    // A zero that is added turns -0 into 0.
    const dw = test().input(new Float32Array(end + 64 * inFeatures).fill(-0), 'dw')
    const buffers = {
      dy: test().input(randomNormal(outFeatures, 1)),
      x: test().input(randomNormal(inFeatures, 2)),
      rows: test().input(new Uint32Array([1])),
      scale: test().input(new Float32Array([1])),
      dw,
    }
    test().run(kernel.bind('gradient', buffers))
    const words = await test().words(dw)
    expect(words.subarray(0, end)).not.toContain(0x8000_0000)
    expect(words.subarray(end).every((word) => word === 0x8000_0000)).toBe(true)
  })

  it('takes dy, x and the number of rows from ranges of buffers', async () => {
    const [rows, width] = [2, 64]
    const [dy, x] = [randomNormal(2 * rows * width, 1), randomNormal(2 * rows * width, 2)]
    const counts = new Uint32Array(65)
    counts[64] = rows
    const kernel = await compileLinearWeightGradient(test().gpu, { inFeatures: width, outFeatures: width })
    const range = (data: Float32Array | Uint32Array, offset: number) => ({
      buffer: test().input(data),
      offset,
    })
    const dw = test().input(new Float32Array(width * width))
    const offset = 4 * rows * width
    const buffers = {
      dy: range(dy, offset),
      x: range(x, offset),
      rows: range(counts, 256),
      scale: test().input(new Float32Array([1])),
      dw,
    }
    test().run(kernel.bind('gradient', buffers))
    const expected = linearWeightGradientReference(
      { inFeatures: width, outFeatures: width },
      dy.subarray(rows * width),
      x.subarray(rows * width),
    )
    expectClose(await test().floats(dw), expected, 2e-6)
  })

  it('refuses a layer without outputs', async () => {
    const constants = { inFeatures: 3, outFeatures: 0 }
    await expect(compileLinearWeightGradient(test().gpu, constants)).rejects.toThrow('sizes of 3 and 0')
  })
})
