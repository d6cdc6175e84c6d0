import { beforeEach, expect, it, type TestContext } from 'vitest'
import { ropeTable } from '../../attention/rope/rope.js'
import { ropeReference } from '../../attention/rope/rope.reference.js'
import { packHalves, unpackHalves } from '../../common/half.js'
import { halfTileBytes } from '../../common/half-tiles.js'
import { hasSubgroupMatrices } from '../../common/subgroup-matrices.js'
import type { WeightBuffers } from '../../common/weight.js'
import { referenceWeight } from '../../common/weight.reference.js'
import { swigluReference } from '../../layers/swiglu/swiglu.reference.js'
import { describeOnGpu, type TestGpu } from '../../testing/gpu.js'
import { halfTileValues, halfTileWords } from '../../testing/half-tiles.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileLinearStepMatrices, type LinearStepMatricesConstants } from './linear-step-matrices.js'
import { linearStepMatricesReference } from './linear-step-matrices.reference.js'

/** Both factors are rounded to f16. */
const TOLERANCE = 2e-3

let skip: TestContext['skip']
beforeEach((context) => {
  skip = context.skip
})

function weightOf(test: TestGpu, dense: Float32Array, groupSize: number) {
  const { words, values } = referenceWeight(dense, { type: 'q4', groupSize })
  const buffers = Object.fromEntries(
    Object.entries(words).map(([name, data]) => [name, test.input(data, name)]),
  ) as unknown as WeightBuffers
  return { buffers, values }
}

describeOnGpu('linear step on matrices, where there are subgroup matrices', (test) => {
  /** Ends a test as skipped where the GPU, or the set of its features under test, has none. */
  const compile = (constants: LinearStepMatricesConstants) => {
    if (!hasSubgroupMatrices(test().gpu)) skip('needs subgroup matrices of f16')
    return compileLinearStepMatrices(test().gpu, constants)
  }
  const input = (rows: number, inFeatures: number) => {
    const x = randomNormal(rows * inFeatures, 1)
    return { x, words: halfTileWords(x, inFeatures) }
  }

  for (const [what, rows, inFeatures, outFeatures, groupSize] of [
    ['a part of a matrix, and slices without a step', 3, 512, 40, 64],
    ['one matrix, and a part of a step', 16, 320, 32, 32],
    ['two matrices', 32, 4096, 48, 64],
    ['four matrices, shared by two', 64, 256, 72, 128],
    ['a part of them, many outputs', 37, 64, 16_400, 64],
  ] as const) {
    it(`multiplies ${rows} rows, and adds them to the residual: ${what}`, async () => {
      const { x, words } = input(rows, inFeatures)
      const { buffers: weight, values } = weightOf(
        test(),
        randomNormal(outFeatures * inFeatures, 3, 0.1),
        groupSize,
      )
      const expected = linearStepMatricesReference(x, values, inFeatures)
      const before = randomNormal(rows * outFeatures, 4)
      const constants = { groupSize, inFeatures, outFeatures, maxRows: rows }
      const store = await compile({ ...constants, output: { kind: 'store' } })
      const add = await compile({ ...constants, output: { kind: 'add' } })
      const [y, sum] = [test().output(rows * outFeatures, 'y'), test().input(before, 'sum')]
      const halves = test().input(words)
      test().run(store.bind('store', { weight, x: halves, output: { y } }), rows)
      test().run(add.bind('add', { weight, x: halves, output: { y: sum } }), rows)
      expectClose(await test().floats(y), expected, TOLERANCE)
      const added = expected.map((value, i) => value + before[i])
      expectClose(await test().floats(sum), added, TOLERANCE)
    })
  }

  for (const rows of [5, 33]) {
    it(`makes SwiGLU of gates and ups, ${rows} rows`, async () => {
      const [inFeatures, ffn] = [128, 48]
      const { x, words } = input(rows, inFeatures)
      const up = weightOf(test(), randomNormal(2 * ffn * inFeatures, 4, 0.2), 64)
      const constants = { groupSize: 64, inFeatures, outFeatures: 2 * ffn, maxRows: rows }
      const kernel = await compile({ ...constants, output: { kind: 'swiglu' } })
      const halves = test().output(halfTileBytes(rows, ffn) / 4, 'halves')
      test().run(kernel.bind('up', { weight: up.buffers, x: test().input(words), output: { halves } }), rows)
      const expected = swigluReference(linearStepMatricesReference(x, up.values, inFeatures), ffn)
      expectClose(halfTileValues(await test().words(halves), rows, ffn), expected, TOLERANCE)
    })

    it(`adds the bias and turns queries and keys by their positions, ${rows} rows`, async () => {
      const heads = { heads: 4, kvGroups: 2, headDim: 16 }
      const [inFeatures, outFeatures] = [64, 128]
      const { x, words } = input(rows, inFeatures)
      const { buffers: weight, values } = weightOf(test(), randomNormal(outFeatures * inFeatures, 6, 0.1), 32)
      const biasWords = packHalves(randomNormal(outFeatures, 7))
      const constants = { groupSize: 32, inFeatures, outFeatures, maxRows: rows }
      const kernel = await compile({ ...constants, output: { kind: 'qkv', hasBias: true, ...heads } })
      const qkv = test().output(rows * outFeatures, 'qkv')
      const positions = Array.from({ length: rows }, (_, row) => (row * 7) % 50)
      const output = {
        bias: test().input(biasWords),
        rows: test().input(new Uint32Array(positions.flatMap((position) => [5, 0, position, 3]))),
        ropeTable: test().input(ropeTable(50, 16, 10_000)),
        qkv,
      }
      test().run(kernel.bind('qkv', { weight, x: test().input(words), output }), rows)
      const bias = unpackHalves(biasWords, outFeatures)
      const projected = linearStepMatricesReference(x, values, inFeatures, bias)
      expectClose(await test().floats(qkv), ropeReference(projected, positions, heads, 10_000), TOLERANCE)
    })
  }

  it('refuses sizes that do not divide', async () => {
    const constants = { groupSize: 32, inFeatures: 96, outFeatures: 100, maxRows: 2 }
    await expect(
      compileLinearStepMatrices(test().gpu, { ...constants, output: { kind: 'store' } }),
    ).rejects.toThrow('[100, 96] in groups of 32')
  })
})
