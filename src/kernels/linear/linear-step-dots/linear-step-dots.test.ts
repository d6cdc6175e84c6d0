import { expect, it } from 'vitest'
import { ropeTable } from '../../attention/rope/rope.js'
import { ropeReference } from '../../attention/rope/rope.reference.js'
import { packHalves, unpackHalves } from '../../common/half.js'
import type { WeightBuffers } from '../../common/weight.js'
import { referenceWeight } from '../../common/weight.reference.js'
import { swigluReference } from '../../layers/swiglu/swiglu.reference.js'
import { activationOutputs, activations } from '../../testing/activations.js'
import { describeOnGpu, type TestGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileRoundActivations } from '../round-activations/round-activations.js'
import { compileLinearStepDots } from './linear-step-dots.js'
import { linearStepDotsReference } from './linear-step-dots.reference.js'

const TOLERANCE = 1e-5

function weightOf(test: TestGpu, dense: Float32Array, groupSize: number) {
  const { words, values } = referenceWeight(dense, { type: 'q4', groupSize })
  const buffers = Object.fromEntries(
    Object.entries(words).map(([name, data]) => [name, test.input(data, name)]),
  ) as unknown as WeightBuffers
  return { buffers, values }
}

/** Random activations in 8 bits, and their values. */
async function randomActivations(test: TestGpu, elements: number) {
  const output = activationOutputs(test, elements)
  const kernel = await compileRoundActivations(test.gpu, { elements })
  test.run(kernel.bind('round', { x: test.input(randomNormal(elements, 1)), output }))
  return { input: output, values: await activations(test, output) }
}

describeOnGpu('linear step in dot products', (test) => {
  for (const [rows, inFeatures, outFeatures, groupSize] of [
    [2, 64, 40, 32],
    [4, 1120, 16, 32],
    [8, 2176, 24, 128],
  ]) {
    it(`multiplies ${rows} rows of ${inFeatures}, and adds them to the residual`, async () => {
      const { input, values } = await randomActivations(test(), rows * inFeatures)
      const weight = weightOf(test(), randomNormal(outFeatures * inFeatures, 3, 0.1), groupSize)
      const before = randomNormal(rows * outFeatures, 4)
      const constants = { groupSize, inFeatures, outFeatures, rows }
      const store = await compileLinearStepDots(test().gpu, { ...constants, output: { kind: 'store' } })
      const add = await compileLinearStepDots(test().gpu, { ...constants, output: { kind: 'add' } })
      const [y, sum] = [test().output(rows * outFeatures, 'y'), test().input(before, 'sum')]
      test().run(store.bind('store', { weight: weight.buffers, input, output: { y } }), rows)
      test().run(add.bind('add', { weight: weight.buffers, input, output: { y: sum } }), rows)
      const expected = linearStepDotsReference(values, weight.values, inFeatures)
      expectClose(await test().floats(y), expected, TOLERANCE)
      const added = expected.map((value, i) => value + before[i])
      expectClose(await test().floats(sum), added, TOLERANCE)
    })
  }

  it('makes SwiGLU of gates and ups', async () => {
    const [rows, inFeatures, ffn] = [4, 64, 48]
    const { input, values } = await randomActivations(test(), rows * inFeatures)
    const up = weightOf(test(), randomNormal(2 * ffn * inFeatures, 4, 0.2), 64)
    const constants = { groupSize: 64, inFeatures, outFeatures: 2 * ffn, rows }
    const kernel = await compileLinearStepDots(test().gpu, { ...constants, output: { kind: 'swiglu' } })
    const y = test().output(rows * ffn, 'y')
    test().run(kernel.bind('up', { weight: up.buffers, input, output: { y } }), rows)
    const expected = swigluReference(linearStepDotsReference(values, up.values, inFeatures), ffn)
    expectClose(await test().floats(y), expected, TOLERANCE)
  })

  it('adds the bias and turns queries and keys by their positions', async () => {
    const heads = { heads: 4, kvGroups: 2, headDim: 16 }
    const [rows, inFeatures, outFeatures] = [2, 64, 128]
    const { input, values } = await randomActivations(test(), rows * inFeatures)
    const weight = weightOf(test(), randomNormal(outFeatures * inFeatures, 6, 0.1), 32)
    const biasWords = packHalves(randomNormal(outFeatures, 7))
    const constants = { groupSize: 32, inFeatures, outFeatures, rows }
    const qkvOutput = { kind: 'qkv', hasBias: true, ...heads } as const
    const kernel = await compileLinearStepDots(test().gpu, { ...constants, output: qkvOutput })
    const qkv = test().output(rows * outFeatures, 'qkv')
    const positions = [41, 3]
    const output = {
      bias: test().input(biasWords),
      rows: test().input(new Uint32Array(positions.flatMap((position) => [5, 0, position, 3]))),
      ropeTable: test().input(ropeTable(50, 16, 10_000)),
      qkv,
    }
    test().run(kernel.bind('qkv', { weight: weight.buffers, input, output }), rows)
    const bias = unpackHalves(biasWords, outFeatures)
    const projected = linearStepDotsReference(values, weight.values, inFeatures, bias)
    expectClose(await test().floats(qkv), ropeReference(projected, positions, heads, 10_000), 2e-5)
  })

  it('refuses sizes that do not divide, and more rows than it is made for', async () => {
    const constants = {
      groupSize: 32,
      inFeatures: 64,
      outFeatures: 100,
      output: { kind: 'store' },
      rows: 2,
    } as const
    await expect(compileLinearStepDots(test().gpu, constants)).rejects.toThrow('[100, 64] in groups of 32')
    const many = { ...constants, outFeatures: 96, rows: 9 }
    await expect(compileLinearStepDots(test().gpu, many)).rejects.toThrow('9 rows')
  })
})
