import { expect, it } from 'vitest'
import {
  canRunTrainingAttentionSubgroup,
  type TrainingAttentionConstants,
} from '../../common/training-attention.js'
import { describeOnGpu, skipRepeatedOnSoftware, type TestGpu } from '../../testing/gpu.js'
import { expectClose } from '../../testing/numbers.js'
import { type TrainingCase, trainingAttentionCase } from '../../testing/training-attention.js'
import { compileAttentionTraining } from './attention-training.js'

async function check(test: TestGpu, shape: TrainingCase, tolerances = { float: 1e-5, half: 4e-3 }) {
  const { constants, buffers, expected } = trainingAttentionCase(test, shape)
  const onMatrices = canRunTrainingAttentionSubgroup(test.gpu, constants)
  const attention = await compileAttentionTraining(test.gpu, constants, { onMatrices })
  const scratch = test.output(attention.scratchBytes / 4, 'scratch')
  test.run(attention.bind('attention', { ...buffers, scratch }), shape.rows)
  const tolerance = onMatrices ? tolerances.half : tolerances.float
  const y = await test.floats(buffers.y)
  const logSumExp = await test.floats(buffers.logSumExp)
  expectClose(y.subarray(0, expected.y.length), expected.y, tolerance)
  expectClose(logSumExp.subarray(0, expected.logSumExp.length), expected.logSumExp, tolerance)
  // Nothing is written behind the sequence.
  expect(y.subarray(expected.y.length).every(Number.isNaN)).toBe(true)
  expect(logSumExp.subarray(expected.logSumExp.length).every(Number.isNaN)).toBe(true)
}

describeOnGpu('attention in training', (test) => {
  skipRepeatedOnSoftware(test)

  const shape = { heads: 6, kvGroups: 2, headDim: 16 }

  for (const [rows, prefixLength] of [
    [1, 5],
    [19, 5],
    [32, 16],
  ]) {
    it(`attends for ${rows} rows behind a prefix of ${prefixLength}`, async () => {
      await check(test(), { ...shape, rows, prefixLength, maxRows: 35 })
    })
  }

  it('has heads of 32, and one group', async () => {
    await check(test(), { heads: 5, kvGroups: 1, headDim: 32, rows: 7, prefixLength: 12 })
  })

  it('has the shape of ChatGLM3: 16 heads of 128 to a group', async () => {
    await check(test(), { heads: 32, kvGroups: 2, headDim: 128, rows: 10, prefixLength: 30 })
  })

  it.each([
    ['with nothing in front', 0],
    ['behind a prefix', 5],
  ])('keeps packed sequences apart, %s', async (_, prefixLength) => {
    const lengths = [1, 13, 2, 16]
    await check(test(), { ...shape, rows: 32, lengths, prefixLength, maxRows: 35 })
  })

  it('follows scores that rise by hundreds', async () => {
    const steep = { heads: 32, kvGroups: 2, headDim: 128, rows: 10, prefixLength: 30, deviation: 30 }
    // Scores of hundreds, of factors rounded to f16, are off by tenths: so are then the weights.
    await check(test(), steep, { float: 1e-4, half: 3e-2 })
  })

  it('refuses heads that do not divide into groups, or into fours, and rows too short for a prefix', async () => {
    const { gpu } = test()
    const constants = { ...shape, prefixLength: 1, prefixStride: 64, maxRows: 1 }
    const compile = (changes: Partial<TrainingAttentionConstants>) =>
      compileAttentionTraining(gpu, { ...constants, ...changes }, { onMatrices: false })
    await expect(compile({ heads: 5 })).rejects.toThrow('5 heads')
    await expect(compile({ headDim: 6 })).rejects.toThrow('heads of 6')
    await expect(compile({ prefixStride: 60 })).rejects.toThrow('60 columns')
  })

  it('refuses subgroup matrices for heads that they do not fit', async () => {
    const constants = { ...shape, prefixLength: 1, prefixStride: 64, maxRows: 1 }
    const kernel = compileAttentionTraining(test().gpu, constants, { onMatrices: true })
    await expect(kernel).rejects.toThrow('no subgroup matrices for heads of this shape')
  })
})
