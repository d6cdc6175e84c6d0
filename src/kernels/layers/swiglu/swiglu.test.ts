import { it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileSwiglu } from './swiglu.js'
import { swigluReference } from './swiglu.reference.js'

describeOnGpu('SwiGLU', (test) => {
  for (const [rows, width] of [
    [1, 1],
    [3, 255],
    [2, 513],
  ] as const) {
    it(`equals the reference for ${rows} rows of ${width}`, async () => {
      const x = randomNormal(rows * width * 2, 9, 4)
      const swiglu = await compileSwiglu(test().gpu, { width })
      const y = test().output(rows * width)
      test().run(swiglu.bind('swiglu', { x: test().input(x), y }), rows)
      expectClose(await test().floats(y), swigluReference(x, width), 2e-6)
    })
  }

  it('is finite for extreme gates', async () => {
    const x = new Float32Array([-1e4, 1e4, 0, 1, 1, 1])
    const swiglu = await compileSwiglu(test().gpu, { width: 3 })
    const y = test().output(3)
    test().run(swiglu.bind('swiglu', { x: test().input(x), y }))
    expectClose(await test().floats(y), [0, 1e4, 0], 1e-6)
  })
})
