import { it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileSumRows } from './sum-rows.js'
import { sumRowsReference } from './sum-rows.reference.js'

describeOnGpu('sum of rows', (test) => {
  for (const [rows, width] of [
    [1, 1],
    [7, 31],
    [128, 65],
  ]) {
    it(`equals the reference for ${rows} rows of ${width}`, async () => {
      const x = randomNormal(rows * width, 1)
      const y = test().output(width)
      const kernel = await compileSumRows(test().gpu, { rows, width })
      test().run(kernel.bind('sum', { x: test().input(x), y }))
      expectClose(await test().floats(y), sumRowsReference(x, width), 2e-6)
    })
  }
})
