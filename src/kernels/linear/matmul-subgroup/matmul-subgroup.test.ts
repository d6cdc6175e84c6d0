import { beforeEach, expect, it, type TestContext } from 'vitest'
import type { Gpu } from '../../../gpu/gpu.js'
import { packHalves, unpackHalves } from '../../common/half.js'
import type { LinearConstants } from '../../common/linear.js'
import { referenceWeight } from '../../common/weight.reference.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { describeLinear } from '../../testing/linear.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { canRunMatmulSubgroup, compileMatmulSubgroup } from './matmul-subgroup.js'
import { matmulSubgroupReference } from './matmul-subgroup.reference.js'

let skip: TestContext['skip']
beforeEach((context) => {
  skip = context.skip
})

/** Ends a test as skipped where the GPU, or the set of its features under test, has no subgroup matrices. */
function compile(gpu: Gpu, constants: LinearConstants) {
  if (!canRunMatmulSubgroup(gpu, constants)) skip('needs subgroup matrices of f16')
  return compileMatmulSubgroup(gpu, constants)
}

describeLinear('matmul on subgroup matrices, where there are any', compile, [33, 1, 150], () => 2e-3)

describeOnGpu('matmul on subgroup matrices', (test) => {
  for (const [end, hasBias, accumulate] of [
    ['nothing', false, false],
    ['a bias', true, false],
    ['the residual', false, true],
    ['both', true, true],
  ] as const) {
    it(`adds ${end} to whole tiles and their edges, in a slice`, async () => {
      const [rows, inFeatures, outFeatures, outStride, outOffset] = [150, 160, 260, 300, 36]
      const format = { type: 'q4', groupSize: 32 } as const
      const x = randomNormal(rows * inFeatures, 7)
      const { words, values } = referenceWeight(randomNormal(outFeatures * inFeatures, 8, 0.1), format)
      const bias = packHalves(randomNormal(outStride, 9))
      const before = randomNormal(rows * outStride, 10)
      const slice = { outFeatures, outStride, outOffset, maxRows: rows }
      const kernel = await compile(test().gpu, { format, inFeatures, ...slice, hasBias, accumulate })
      const y = test().input(before, 'y')
      const buffers = {
        weight: test().input(words.weight),
        scales: test().input(words.scales!),
        biases: test().input(words.biases!),
        x: test().input(x),
        bias: test().input(bias),
        y,
      }
      test().run(kernel.bind('product', buffers), rows)
      const expected = Float64Array.from(before)
      const product = matmulSubgroupReference(x, values, inFeatures)
      const biases = unpackHalves(bias, outStride)
      for (let r = 0; r < rows; r++) {
        for (let n = 0; n < outFeatures; n++) {
          const at = r * outStride + outOffset + n
          const start = (hasBias ? biases[outOffset + n] : 0) + (accumulate ? before[at] : 0)
          expected[at] = start + product[r * outFeatures + n]
        }
      }
      expectClose(await test().floats(y), expected, 2e-3)
    })
  }

  it('refuses a GPU without them', async () => {
    const { gpu } = test()
    const constants: LinearConstants = {
      format: { type: 'f16' },
      inFeatures: 8,
      outFeatures: 1,
      outStride: 1,
      outOffset: 0,
      hasBias: false,
      accumulate: false,
      maxRows: 1,
    }
    if (canRunMatmulSubgroup(gpu, constants)) skip('has subgroup matrices')
    await expect(compileMatmulSubgroup(gpu, constants)).rejects.toThrow('no subgroup matrices')
  })
})
