import { expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { describeLinear } from '../../testing/linear.js'
import { compileMatvec } from './matvec.js'

describeLinear('matvec', compileMatvec, [1, 3], () => 2e-6)

describeOnGpu('matvec arguments', (test) => {
  const constants = {
    format: { type: 'q4', groupSize: 64 },
    inFeatures: 96,
    outFeatures: 8,
    outStride: 8,
    outOffset: 0,
    hasBias: false,
    accumulate: false,
    maxRows: 1,
  } as const

  it('refuses input features that do not divide into groups', async () => {
    await expect(compileMatvec(test().gpu, constants)).rejects.toThrow(
      '96 input features do not divide into groups of 64',
    )
  })

  it('refuses more rows than it has registers for', async () => {
    await expect(compileMatvec(test().gpu, { ...constants, maxRows: 9 })).rejects.toThrow(
      '9 rows, not 1 to 8',
    )
  })
})
