import { describe, it } from 'vitest'
import { swigluReference } from '../../layers/swiglu/swiglu.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { dot, numericGradient } from '../../testing/gradient.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileSwigluBackward } from './swiglu-backward.js'
import { swigluBackwardReference } from './swiglu-backward.reference.js'

describe('the reference of the gradient of SwiGLU', () => {
  it('is the derivative of the reference of SwiGLU', () => {
    const [x, dy] = [randomNormal(12, 1, 3), randomNormal(6, 2)]
    const expected = numericGradient((at) => dot(swigluReference(at, 3), dy), x)
    expectClose(swigluBackwardReference(x, dy, 3), expected, 1e-8)
  })
})

describeOnGpu('gradient of SwiGLU', (test) => {
  for (const [rows, width] of [
    [1, 1],
    [3, 255],
    [2, 513],
  ] as const) {
    it(`equals the reference for ${rows} rows of ${width}`, async () => {
      const [values, dy] = [randomNormal(rows * width * 2, 9, 4), randomNormal(rows * width, 10)]
      const kernel = await compileSwigluBackward(test().gpu, { width })
      const x = test().input(values)
      test().run(kernel.bind('gradient', { x, dy: test().input(dy) }), rows)
      expectClose(await test().floats(x), swigluBackwardReference(values, dy, width), 2e-6)
    })
  }

  it('is finite for extreme gates', async () => {
    const x = test().input(new Float32Array([-1e4, 1e4, 2, 3]))
    const kernel = await compileSwigluBackward(test().gpu, { width: 2 })
    test().run(kernel.bind('gradient', { x, dy: test().input(new Float32Array([1, 1])) }))
    expectClose(await test().floats(x), [0, 3, 0, 1e4], 1e-6)
  })
})
