import { expect, it } from 'vitest'
import { quantizedActivationsReference } from '../../common/activation-block.reference.js'
import { activationOutputs, activations } from '../../testing/activations.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileRoundActivations } from './round-activations.js'

describeOnGpu('rounding activations', (test) => {
  it('gives every block of 32 a scale of its own, and none to a block of zeros', async () => {
    // More blocks than a workgroup has invocations, from 1e-3 to 1e3 in size.
    const x = randomNormal(70 * 32, 1).map((value, i) => value * 10 ** ((Math.floor(i / 32) % 7) - 3))
    x.fill(0, 3 * 32, 4 * 32)
    const round = await compileRoundActivations(test().gpu, { elements: x.length })
    const output = activationOutputs(test(), x.length)
    test().run(round.bind('round', { x: test().input(x), output }))
    const actual = await activations(test(), output)
    const expected = quantizedActivationsReference(x)
    for (let block = 0; block < 70; block++) {
      // A value right between two steps, of 1/127 of the largest, may round either way.
      const [of, to] = [actual, expected].map((all) => all.slice(block * 32, block * 32 + 32))
      expectClose(of, to, 1e-2)
    }
    const scales = await test().floats(output.scales)
    const sum = actual.slice(0, 32).reduce((total, value) => total + value, 0)
    expect(scales[1]).toBeCloseTo(sum, 4)
    expect(scales.subarray(6, 8)).toEqual(new Float32Array(2))
  })

  it('refuses elements that do not fill blocks', async () => {
    await expect(compileRoundActivations(test().gpu, { elements: 40 })).rejects.toThrow(
      '40 elements in blocks of 32',
    )
  })
})
