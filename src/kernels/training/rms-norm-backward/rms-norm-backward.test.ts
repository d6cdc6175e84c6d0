import { describe, it } from 'vitest'
import { packHalves, unpackHalves } from '../../common/half.js'
import { rmsNormReference } from '../../layers/rms-norm/rms-norm.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileRmsNormBackward } from './rms-norm-backward.js'
import { rmsNormBackwardReference } from './rms-norm-backward.reference.js'

describe('the reference of the gradient of RMSNorm', () => {
  it('is the derivative of the reference of RMSNorm', () => {
    const [x, weight, dy] = [randomNormal(14, 1), randomNormal(7, 2), randomNormal(14, 3)]
    const expected = numericGradient((at) => dot(rmsNormReference(at, weight, 1e-2), dy), x)
    expectClose(rmsNormBackwardReference(x, weight, dy, 1e-2), expected, 1e-8)
  })
})

describeOnGpu('gradient of RMSNorm', (test) => {
  for (const [rows, width, accumulate] of [
    [1, 2, false],
    [3, 255, true],
    [2, 257, false],
    [2, 1408, true],
  ] as const) {
    const how = accumulate ? 'added' : 'stored'
    it(`equals the reference for ${rows} rows of ${width}, ${how}`, async () => {
      const [x, dy, before] = [4, 5, 6].map((seed) => randomNormal(rows * width, seed, 3))
      const weight = packHalves(randomNormal(width, 2))
      const kernel = await compileRmsNormBackward(test().gpu, { width, epsilon: 1e-5, accumulate })
      const dx = accumulate ? test().input(before, 'dx') : test().output(rows * width, 'dx')
      const buffers = { x: test().input(x), weight: test().input(weight), dy: test().input(dy), dx }
      test().run(kernel.bind('gradient', buffers), rows)
      const expected = rmsNormBackwardReference(x, unpackHalves(weight, width), dy, 1e-5)
      if (accumulate) {
        before.forEach((value, i) => {
          expected[i] += value
        })
      }
      expectClose(await test().floats(dx), expected, 2e-6)
    })
  }
})
