import { expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileGradientNorm, GRADIENT_NORM_PARTS } from './gradient-norm.js'
import { gradientNormReference } from './gradient-norm.reference.js'

describeOnGpu('norm of gradients', (test) => {
  const run = async (gradients: readonly Float32Array<ArrayBuffer>[], maxNorm: number) => {
    const counts = gradients.map(({ length }) => length)
    const kernel = await compileGradientNorm(test().gpu, { counts })
    const result = test().output(2, 'result')
    const buffers = {
      gradients: gradients.map((gradient) => test().input(gradient)),
      parts: test().output(gradients.length * GRADIENT_NORM_PARTS, 'parts'),
      settings: test().input(new Float32Array([maxNorm])),
      result,
    }
    test().run(kernel.bind('norm', buffers))
    return test().floats(result)
  }

  for (const [maxNorm, name] of [
    [0.5, 'a limit below it'],
    [1000, 'a limit above it'],
    [0, 'no limit'],
  ] as const) {
    it(`of several sizes equals the reference, with ${name}`, async () => {
      const gradients = [randomNormal(1, 1), randomNormal(300, 2, 0.1), randomNormal(20_011, 3, 0.01)]
      const { norm, scale } = gradientNormReference(gradients, maxNorm || undefined)
      expectClose(await run(gradients, maxNorm), [norm, scale], 1e-6)
    })
  }

  it('is 0 for a gradient of zeros, which stays as it is', async () => {
    expect([...(await run([new Float32Array(5)], 1))]).toEqual([0, 1])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e30])(
    'takes no step along a gradient with %s',
    async (value) => {
      const gradient = randomNormal(70, 1)
      gradient[69] = value
      const [norm, scale] = await run([gradient], 1)
      expect(Number.isFinite(norm)).toBe(false)
      expect(scale).toBe(0)
    },
  )
})
