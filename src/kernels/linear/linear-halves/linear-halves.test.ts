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
import { compileLinearHalves, type LinearHalvesConstants } from './linear-halves.js'
import { linearHalvesReference } from './linear-halves.reference.js'

/** Both factors are rounded to f16. */
const TOLERANCE = 2e-3
/** Room for the sums of eight tiles of 128 x 128. */
const PARTS = 8 * 128 * 128

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

describeOnGpu('linear of activations in f16, where there are subgroup matrices', (test) => {
  /** Ends a test as skipped where the GPU, or the set of its features under test, has none. */
  const compile = (constants: Omit<LinearHalvesConstants, 'partsBytes'>, parts = PARTS) => {
    if (!hasSubgroupMatrices(test().gpu)) skip('needs subgroup matrices of f16')
    return compileLinearHalves(test().gpu, { ...constants, partsBytes: parts * 4 })
  }
  const input = (rows: number, inFeatures: number) => {
    const x = randomNormal(rows * inFeatures, 1)
    return { x, words: halfTileWords(x, inFeatures) }
  }

  for (const [what, rows, inFeatures, outFeatures, groupSize, parts] of [
    ['a part of a tile of few rows', 3, 512, 40, 64, 0],
    ['a tile of few rows, and a part of a span, split', 16, 320, 136, 32, PARTS],
    ['two matrices of rows', 32, 1024, 264, 64, PARTS],
    ['four of them, whole inputs', 61, 256, 72, 128, 0],
    ['whole tiles of many rows, whole inputs', 128, 512, 128, 64, 0],
    ['their inputs split', 128, 2304, 128, 64, PARTS],
    ['tiles with edges', 150, 256, 200, 128, 0],
    ['a part of a span, split into more than there are', 70, 320, 136, 32, PARTS],
    ['three tiles of rows, split', 300, 1024, 72, 64, PARTS],
  ] as const) {
    it(`multiplies ${rows} rows, and adds them to the residual: ${what}`, async () => {
      const { x, words } = input(rows, inFeatures)
      const { buffers: weight, values } = weightOf(
        test(),
        randomNormal(outFeatures * inFeatures, 3, 0.1),
        groupSize,
      )
      const expected = linearHalvesReference(x, values, inFeatures)
      const before = randomNormal(rows * outFeatures, 4)
      const constants = { groupSize, inFeatures, outFeatures, maxRows: rows }
      const store = await compile({ ...constants, output: { kind: 'store' } }, parts)
      const add = await compile({ ...constants, output: { kind: 'add' } }, parts)
      const [y, sum] = [test().output(rows * outFeatures, 'y'), test().input(before, 'sum')]
      const scratch = { x: test().input(words), parts: test().output(PARTS, 'parts') }
      test().run(store.bind('store', { weight, ...scratch, output: { y } }), rows)
      test().run(add.bind('add', { weight, ...scratch, output: { y: sum } }), rows)
      expectClose(await test().floats(y), expected, TOLERANCE)
      const added = expected.map((value, i) => value + before[i])
      expectClose(await test().floats(sum), added, TOLERANCE)
    })
  }

  it('computes the rows that are dispatched, of more that there is room for', async () => {
    const [rows, maxRows, inFeatures, outFeatures] = [70, 200, 256, 64]
    const { x, words } = input(maxRows, inFeatures)
    const { buffers: weight, values } = weightOf(test(), randomNormal(outFeatures * inFeatures, 3, 0.1), 64)
    const kernel = await compile({
      groupSize: 64,
      inFeatures,
      outFeatures,
      maxRows,
      output: { kind: 'store' },
    })
    const y = test().output(maxRows * outFeatures, 'y')
    const buffers = { weight, x: test().input(words), parts: test().output(PARTS, 'parts'), output: { y } }
    test().run(kernel.bind('store', buffers), rows)
    const expected = linearHalvesReference(x.subarray(0, rows * inFeatures), values, inFeatures)
    expectClose((await test().floats(y)).subarray(0, expected.length), expected, TOLERANCE)
  })

  it('adds a bias to what it stores', async () => {
    const [rows, inFeatures, outFeatures] = [70, 256, 136]
    const { x, words } = input(rows, inFeatures)
    const { buffers: weight, values } = weightOf(test(), randomNormal(outFeatures * inFeatures, 3, 0.1), 64)
    const biasWords = packHalves(randomNormal(outFeatures, 7))
    const constants = { groupSize: 64, inFeatures, outFeatures, maxRows: rows }
    const kernel = await compile({ ...constants, output: { kind: 'biased' } })
    const y = test().output(rows * outFeatures, 'y')
    const output = { y, bias: test().input(biasWords) }
    const scratch = { x: test().input(words), parts: test().output(PARTS, 'parts') }
    test().run(kernel.bind('biased', { weight, ...scratch, output }), rows)
    const bias = unpackHalves(biasWords, outFeatures)
    expectClose(await test().floats(y), linearHalvesReference(x, values, inFeatures, bias), TOLERANCE)
  })

  for (const [rows, parts] of [
    [5, 0],
    [33, PARTS],
    [130, 0],
    [70, PARTS],
  ]) {
    const how = parts > 0 ? ' by several workgroups' : ''

    it(`makes SwiGLU of gates and ups, ${rows} rows${how}`, async () => {
      const [inFeatures, ffn] = [512, 144]
      const { x, words } = input(rows, inFeatures)
      const up = weightOf(test(), randomNormal(2 * ffn * inFeatures, 4, 0.1), 64)
      const constants = { groupSize: 64, inFeatures, outFeatures: 2 * ffn, maxRows: rows }
      const kernel = await compile({ ...constants, output: { kind: 'swiglu' } }, parts)
      const halves = test().output(halfTileBytes(rows, ffn) / 4, 'halves')
      const scratch = { x: test().input(words), parts: test().output(PARTS, 'parts') }
      test().run(kernel.bind('up', { weight: up.buffers, ...scratch, output: { halves } }), rows)
      const expected = swigluReference(linearHalvesReference(x, up.values, inFeatures), ffn)
      expectClose(halfTileValues(await test().words(halves), rows, ffn), expected, TOLERANCE)
    })

    it(`adds the bias and turns queries and keys by their positions, ${rows} rows${how}`, async () => {
      const heads = { heads: 4, kvGroups: 2, headDim: 32 }
      const [inFeatures, outFeatures] = [512, 256]
      const { x, words } = input(rows, inFeatures)
      const { buffers: weight, values } = weightOf(test(), randomNormal(outFeatures * inFeatures, 6, 0.1), 32)
      const biasWords = packHalves(randomNormal(outFeatures, 7))
      const constants = { groupSize: 32, inFeatures, outFeatures, maxRows: rows }
      const kernel = await compile({ ...constants, output: { kind: 'qkv', hasBias: true, ...heads } }, parts)
      const qkv = test().output(rows * outFeatures, 'qkv')
      const positions = Array.from({ length: rows }, (_, row) => (row * 7) % 50)
      const output = {
        bias: test().input(biasWords),
        rows: test().input(new Uint32Array(positions.flatMap((position) => [5, 0, position, 3]))),
        ropeTable: test().input(ropeTable(50, 32, 10_000)),
        qkv,
      }
      const scratch = { x: test().input(words), parts: test().output(PARTS, 'parts') }
      test().run(kernel.bind('qkv', { weight, ...scratch, output }), rows)
      const bias = unpackHalves(biasWords, outFeatures)
      const projected = linearHalvesReference(x, values, inFeatures, bias)
      expectClose(await test().floats(qkv), ropeReference(projected, positions, heads, 10_000), TOLERANCE)
    })
  }

  it('refuses sizes that do not divide', async () => {
    const constants = { groupSize: 32, inFeatures: 96, outFeatures: 100, maxRows: 2, partsBytes: 0 }
    await expect(
      compileLinearHalves(test().gpu, { ...constants, output: { kind: 'store' } }),
    ).rejects.toThrow('[100, 96] in groups of 32')
  })
})
