import { describe, expect, it } from 'vitest'
import { unpackHalves } from '../../common/half.js'
import { describeOnGpu, skipRepeatedOnSoftware } from '../../testing/gpu.js'
import { randomNormal, randomSource } from '../../testing/numbers.js'
import { compileRoundHalves } from './round-halves.js'
import { roundHalvesReference } from './round-halves.reference.js'

/** Numbers and the f16 that they round to: ties, subnormals, the ends of the range. */
const ROUNDED = [
  [1 + 2 ** -11, 1],
  [1 + 3 * 2 ** -11, 1 + 2 ** -9],
  [-(1 + 2 ** -11 + 2 ** -20), -(1 + 2 ** -10)],
  [2 ** -25, 0],
  [3 * 2 ** -25, 2 ** -23],
  [2 ** -25 + 2 ** -40, 2 ** -24],
  [2 ** -14 - 2 ** -26, 2 ** -14],
  [65_519, 65_504],
  [65_520, 65_504],
  [-1e30, -65_504],
  [Number.POSITIVE_INFINITY, 65_504],
  [-0, -0],
] as const

describe('the reference of rounding to f16', () => {
  it('takes the nearest, ties to even, and the end of the range beyond it', () => {
    const x = ROUNDED.map(([value]) => value)
    const expected = ROUNDED.map(([, half]) => half)
    expect([...unpackHalves(roundHalvesReference(x), x.length)]).toEqual(expected)
  })
})

describeOnGpu('rounding to f16', (test) => {
  skipRepeatedOnSoftware(test)

  const run = async (x: Float32Array) => {
    const y = test().output(Math.ceil(x.length / 2))
    const kernel = await compileRoundHalves(test().gpu, { count: x.length })
    test().run(kernel.bind('round', { x: test().input(x), y }))
    return test().words(y)
  }

  it('takes the nearest, ties to even, and the end of the range beyond it', async () => {
    const words = await run(Float32Array.from(ROUNDED, ([value]) => value))
    expect([...unpackHalves(words, ROUNDED.length)]).toEqual(ROUNDED.map(([, half]) => half))
  })

  for (const count of [1, 2, 63, 64, 65, 1001]) {
    it(`equals the reference to the bit for ${count} elements`, async () => {
      const x = randomNormal(count, count)
      expect(await run(x)).toEqual(roundHalvesReference(x))
    })
  }

  it('equals the reference to the bit over more elements than invocations, of all magnitudes', async () => {
    const random = randomSource(1)
    const x = Float32Array.from({ length: 2_200_001 }, () => (random() - 0.5) * 2 ** (48 * random() - 30))
    const [actual, expected] = [await run(x), roundHalvesReference(x)]
    expect(actual.length).toBe(expected.length)
    expect(actual.findIndex((word, i) => word !== expected[i])).toBe(-1)
  })

  it('refuses nothing to round', async () => {
    await expect(compileRoundHalves(test().gpu, { count: 0 })).rejects.toThrow('a count of 0')
  })
})
