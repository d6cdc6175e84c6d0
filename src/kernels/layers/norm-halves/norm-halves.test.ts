import { expect, it } from 'vitest'
import { packHalves, unpackHalves } from '../../common/half.js'
import { halfTileBytes } from '../../common/half-tiles.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { halfTileValues } from '../../testing/half-tiles.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileNormHalves } from './norm-halves.js'
import { normHalvesReference } from './norm-halves.reference.js'

describeOnGpu('RMSNorm into f16', (test) => {
  it.each([
    [1, 32],
    [17, 48],
    [3, 4096],
  ])('equals the reference, %d rows of %d', async (rows, width) => {
    const x = randomNormal(rows * width, 1, 3)
    const weight = packHalves(randomNormal(width, 2, 0.3).map((value) => 1 + value))
    const y = test().output(halfTileBytes(rows, width) / 4, 'y')
    const kernel = await compileNormHalves(test().gpu, { width, epsilon: 1e-5 })
    test().run(kernel.bind('norm', { x: test().input(x), weight: test().input(weight), y }), rows)
    const weights = unpackHalves(weight, width)
    const expected = Array.from({ length: rows }, (_, row) =>
      Array.from(normHalvesReference(x.subarray(row * width, (row + 1) * width), weights, 1e-5)),
    ).flat()
    expectClose(halfTileValues(await test().words(y), rows, width), expected, 1e-3)
  })

  it('refuses widths that do not fill tiles', async () => {
    await expect(compileNormHalves(test().gpu, { width: 24, epsilon: 1e-5 })).rejects.toThrow(
      'multiple of 16',
    )
  })
})
