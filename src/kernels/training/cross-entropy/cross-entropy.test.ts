import { describe, expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileCrossEntropy } from './cross-entropy.js'
import { crossEntropyReference } from './cross-entropy.reference.js'

describe('the reference of cross entropy', () => {
  it('has the derivative of the sum of its losses', () => {
    const x = randomNormal(14, 1, 3)
    const sum = (at: Float64Array) => crossEntropyReference(at, [6, 0]).losses.reduce((a, b) => a + b)
    expectClose(crossEntropyReference(x, [6, 0]).dx, numericGradient(sum, x), 1e-8)
  })
})

describeOnGpu('cross entropy', (test) => {
  for (const [targets, vocabulary] of [
    [[0], 1],
    [[32, 0, 7], 33],
    [[256, 511, 0], 513],
  ] as const) {
    it(`equals the reference for ${targets.length} rows of ${vocabulary}`, async () => {
      const logits = randomNormal(targets.length * vocabulary, 3, 5)
      const kernel = await compileCrossEntropy(test().gpu, { vocabulary })
      const x = test().input(logits, 'x')
      const losses = test().output(targets.length, 'losses')
      const buffers = { x, targets: test().input(new Uint32Array(targets)), losses }
      test().run(kernel.bind('cross entropy', buffers), targets.length)
      const expected = crossEntropyReference(logits, targets)
      expectClose(await test().floats(losses), expected.losses, 2e-6)
      expectClose(await test().floats(x), expected.dx, 2e-6)
    })
  }

  it('is exact far out, where exponentials overflow', async () => {
    const kernel = await compileCrossEntropy(test().gpu, { vocabulary: 3 })
    const x = test().input(new Float32Array([1e4, -1e4, 0]))
    const losses = test().output(1)
    test().run(kernel.bind('cross entropy', { x, targets: test().input(new Uint32Array([1])), losses }))
    expect([...(await test().floats(losses))]).toEqual([2e4])
    expect([...(await test().floats(x))]).toEqual([1, -1, 0])
  })

  it('has the loss NaN in a row with a logit that is no number, and in no other', async () => {
    const kernel = await compileCrossEntropy(test().gpu, { vocabulary: 2 })
    const x = test().input(new Float32Array([0, Number.NaN, 0, 0, Number.POSITIVE_INFINITY, 0]))
    const losses = test().output(3)
    const targets = test().input(new Uint32Array(3))
    test().run(kernel.bind('cross entropy', { x, targets, losses }), 3)
    expect(Array.from(await test().floats(losses), Number.isNaN)).toEqual([true, false, true])
  })
})
