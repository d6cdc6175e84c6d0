import { beforeEach, expect, it, type TestContext } from 'vitest'
import type { LinearConstants } from '../common/linear.js'
import type { Gpu } from '../gpu.js'
import { describeOnGpu } from '../testing/gpu.js'
import { describeLinear } from '../testing/linear.js'
import { compileMatmulSubgroup } from './matmul-subgroup.js'
import { halfMatrixShape } from './matrix-shape.js'

let skip: TestContext['skip']
beforeEach((context) => {
  skip = context.skip
})

/** Ends a test as skipped where the GPU, or the set of its features under test, has no subgroup matrices. */
function compile(gpu: Gpu, constants: LinearConstants, rows: number) {
  if (!halfMatrixShape(gpu)) skip('needs subgroup matrices of f16')
  return compileMatmulSubgroup(gpu, constants, rows)
}

describeLinear('matmul on subgroup matrices, where there are any', compile, [33, 1, 150], () => 2e-3)

describeOnGpu('matmul on subgroup matrices', (test) => {
  it('refuses a GPU without them', async () => {
    const { gpu } = test()
    if (halfMatrixShape(gpu)) skip('has subgroup matrices')
    const constants: LinearConstants = {
      format: { type: 'f16' },
      inFeatures: 8,
      outFeatures: 1,
      outStride: 1,
      outOffset: 0,
      hasBias: false,
      accumulate: false,
    }
    await expect(compileMatmulSubgroup(gpu, constants, 1)).rejects.toThrow('no subgroup matrices')
  })
})
