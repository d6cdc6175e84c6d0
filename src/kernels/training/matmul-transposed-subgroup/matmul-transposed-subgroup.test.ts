import { beforeEach, expect, it, type TestContext } from 'vitest'
import type { Gpu } from '../../../gpu/gpu.js'
import type { TransposedConstants } from '../../common/linear-transposed.js'
import { canRunMatmulSubgroup } from '../../linear/matmul-subgroup/matmul-subgroup.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { describeLinearTransposed } from '../../testing/linear-transposed.js'
import { compileMatmulTransposedSubgroup } from './matmul-transposed-subgroup.js'

let skip: TestContext['skip']
beforeEach((context) => {
  skip = context.skip
})

/** Ends a test as skipped where the GPU, or the set of its features under test, has no subgroup matrices. */
function compile(gpu: Gpu, constants: TransposedConstants) {
  if (!canRunMatmulSubgroup(gpu, constants)) skip('needs subgroup matrices of f16')
  return compileMatmulTransposedSubgroup(gpu, constants)
}

describeLinearTransposed(
  'transposed matmul on subgroup matrices, where there are any',
  compile,
  [150, 1, 33],
  2e-3,
)

describeOnGpu('transposed matmul on subgroup matrices', (test) => {
  it('refuses a GPU without them', async () => {
    const { gpu } = test()
    const constants: TransposedConstants = {
      format: { type: 'f16' },
      inFeatures: 8,
      outFeatures: 1,
      outStride: 1,
      outOffset: 0,
      accumulate: false,
      maxRows: 1,
    }
    if (canRunMatmulSubgroup(gpu, constants)) skip('has subgroup matrices')
    await expect(compileMatmulTransposedSubgroup(gpu, constants)).rejects.toThrow('no subgroup matrices')
  })
})
