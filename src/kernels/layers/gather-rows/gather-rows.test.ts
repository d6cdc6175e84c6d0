import { expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { randomNormal } from '../../testing/numbers.js'
import { compileGatherRows, compileScatterRows } from './gather-rows.js'
import { gatherRowsReference } from './gather-rows.reference.js'

describeOnGpu('rows of a matrix', (test) => {
  for (const width of [1, 37, 300]) {
    it(`are gathered, with a width of ${width}`, async () => {
      const [values, index] = [randomNormal(9 * width, 1), [8, 0, 3, 3]]
      const kernel = await compileGatherRows(test().gpu, { width })
      const y = test().output(index.length * width)
      const buffers = { index: test().input(new Uint32Array(index)), x: test().input(values), y }
      test().run(kernel.bind('gather', buffers), index.length)
      expect(Float64Array.from(await test().floats(y))).toEqual(gatherRowsReference(values, index, width))
    })

    it(`are scattered and leave the others alone, with a width of ${width}`, async () => {
      const [values, before, index] = [randomNormal(3 * width, 2), randomNormal(9 * width, 3), [7, 0, 4]]
      const kernel = await compileScatterRows(test().gpu, { width })
      const y = test().input(before)
      const buffers = { index: test().input(new Uint32Array(index)), x: test().input(values), y }
      test().run(kernel.bind('scatter', buffers), index.length)
      const expected = before.slice()
      index.forEach((row, r) => {
        expected.set(values.subarray(r * width, (r + 1) * width), row * width)
      })
      expect(await test().floats(y)).toEqual(expected)
    })
  }
})
