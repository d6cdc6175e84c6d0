import { expect, it } from 'vitest'
import { packHalves, unpackHalves } from '../../common/half.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileRmsNorm } from './rms-norm.js'
import { rmsNormReference } from './rms-norm.reference.js'

describeOnGpu('RMSNorm', (test) => {
  for (const [rows, width] of [
    [1, 2],
    [3, 255],
    [2, 256],
    [5, 257],
    [2, 1408],
  ] as const) {
    it(`equals the reference for ${rows} rows of ${width}`, async () => {
      const x = randomNormal(rows * width, 1, 3)
      const weight = packHalves(randomNormal(width, 2))
      const rmsNorm = await compileRmsNorm(test().gpu, { width, epsilon: 1e-5 })
      const y = test().output(rows * width, 'y')
      test().run(rmsNorm.bind('rms-norm', { x: test().input(x), weight: test().input(weight), y }), rows)
      expectClose(await test().floats(y), rmsNormReference(x, unpackHalves(weight, width), 1e-5), 2e-6)
    })
  }

  it('compiles the same constants once', async () => {
    const { gpu } = test()
    const bind = async () => {
      const buffers = { x: gpu.empty, weight: gpu.empty, y: test().output(4) }
      const [dispatch] = (await compileRmsNorm(gpu, { width: 4, epsilon: 1e-5 })).bind('a', buffers)
      return dispatch.pipeline
    }
    expect(await bind()).toBe(await bind())
  })
})
