import { expect, it } from 'vitest'
import { packHalves, unpackHalves } from '../../common/half.js'
import { activationOutputs, activations } from '../../testing/activations.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileNormBlocks } from './norm-blocks.js'
import { normBlocksReference } from './norm-blocks.reference.js'

describeOnGpu('RMSNorm into 8 bits', (test) => {
  it.each([
    [1, 32],
    [3, 4160],
  ])('equals the reference, %d rows of %d', async (rows, width) => {
    const x = randomNormal(rows * width, 1, 3)
    const weight = packHalves(randomNormal(width, 2, 0.3).map((value) => 1 + value))
    const output = activationOutputs(test(), rows * width)
    const kernel = await compileNormBlocks(test().gpu, { width, epsilon: 1e-5 })
    test().run(kernel.bind('norm', { x: test().input(x), weight: test().input(weight), output }), rows)
    const expected = normBlocksReference(x, unpackHalves(weight, width), 1e-5)
    // One step of 8 bits, where a value lies right between two.
    expectClose(await activations(test(), output), expected, 1e-2)
  })

  it('refuses widths that do not fill blocks', async () => {
    await expect(compileNormBlocks(test().gpu, { width: 48, epsilon: 1e-5 })).rejects.toThrow(
      'in blocks of 32',
    )
  })
})
