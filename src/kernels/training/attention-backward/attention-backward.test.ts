import { describe, expect, it } from 'vitest'
import type { Gpu } from '../../../gpu/gpu.js'
import { canRunTrainingAttentionSubgroup } from '../../common/training-attention.js'
import { describeOnGpu, skipRepeatedOnSoftware, type TestGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { type TrainingCase, trainingAttentionCase } from '../../testing/training-attention.js'
import { compileAttentionTraining } from '../attention-training/attention-training.js'
import { attentionTrainingReference } from '../attention-training/attention-training.reference.js'
import { compileAttentionBackward } from './attention-backward.js'
import { attentionBackwardReference } from './attention-backward.reference.js'

interface BackwardCase extends TrainingCase {
  readonly prefixOnly?: boolean
  /** Of the gradient of the output, row by row. */
  readonly rowScale?: (row: number) => number
}

/** Runs forward and backward pass and gives the gradients beside the reference's. */
async function differentiate(test: TestGpu, shape: BackwardCase) {
  const { prefixOnly = false, rows, heads, headDim, rowScale = () => 1 } = shape
  const { constants, buffers, qkv, layer, offset, slab } = trainingAttentionCase(test, shape)
  const { maxRows, prefixLength, prefixStride } = constants
  const width = heads * headDim
  const dy = randomNormal(rows * width, 3).map((value, i) => value * rowScale(Math.floor(i / width)))
  const options = { onMatrices: canRunTrainingAttentionSubgroup(test.gpu, constants) }
  const forward = await compileAttentionTraining(test.gpu, constants, options)
  const backward = await compileAttentionBackward(test.gpu, { ...constants, prefixOnly }, options)
  const before = randomNormal(Math.max(prefixLength, 1) * prefixStride, 4, rowScale(0))
  const paddedDy = new Float32Array(maxRows * width).fill(Number.NaN)
  paddedDy.set(dy)
  const dprefix = test.input(before, 'dprefix')
  const dqkv = test.output((maxRows * qkv.length) / rows, 'dqkv')
  const scratchBytes = Math.max(forward.scratchBytes, backward.scratchBytes)
  const scratch = test.output(scratchBytes / 4, 'scratch')
  const dispatches = backward.bind('attention', {
    ...buffers,
    scratch,
    dy: test.input(paddedDy, 'dy'),
    dqkv,
    dprefix: { buffer: dprefix, offset: offset * 4, size: dprefix.size - offset * 4 },
  })
  test.run([...forward.bind('attention', { ...buffers, scratch }), ...dispatches], rows)

  const expected = attentionBackwardReference(qkv, layer, dy, constants, rows, shape.lengths)
  const after = await test.floats(dprefix)
  const actual = { dqkv: await test.floats(dqkv), dprefix: new Float32Array(after.length) }
  // What was added, at the beginning of rows as in the reference.
  after.forEach((value, i) => {
    const column = (i % prefixStride) - offset
    if (column >= 0 && column < slab) actual.dprefix[i - offset] = value - before[i]
    else expect(value).toBe(before[i])
  })
  return { actual, expected, end: rows * (qkv.length / rows) }
}

const toleranceOf = (gpu: Gpu, shape: BackwardCase) =>
  canRunTrainingAttentionSubgroup(gpu, shape) ? 4e-3 : 2e-5

async function check(test: TestGpu, shape: BackwardCase) {
  const tolerance = toleranceOf(test.gpu, shape)
  const { actual, expected, end } = await differentiate(test, shape)
  expectClose(actual.dprefix, expected.dprefix, tolerance)
  const written = shape.prefixOnly ? 0 : end
  expectClose(actual.dqkv.subarray(0, written), expected.dqkv.subarray(0, written), tolerance)
  expect(actual.dqkv.subarray(written).every(Number.isNaN)).toBe(true)
}

describeOnGpu('backward pass of attention', (test) => {
  skipRepeatedOnSoftware(test)

  const shape = { heads: 6, kvGroups: 2, headDim: 16 }

  for (const [rows, prefixLength] of [
    [1, 5],
    [19, 5],
    [32, 16],
  ]) {
    it(`gives the gradients of ${rows} rows behind a prefix of ${prefixLength}`, async () => {
      await check(test(), { ...shape, rows, prefixLength, maxRows: 35 })
    })
  }

  it('gives the gradient of the prefix alone', async () => {
    await check(test(), { ...shape, rows: 9, prefixLength: 16, maxRows: 35, prefixOnly: true })
  })

  it('has heads of 32, and one group', async () => {
    await check(test(), { heads: 5, kvGroups: 1, headDim: 32, rows: 7, prefixLength: 12 })
  })

  it('has the shape of ChatGLM3: 16 heads of 128 to a group', async () => {
    await check(test(), { heads: 32, kvGroups: 2, headDim: 128, rows: 20, prefixLength: 30 })
  })

  it.each([
    ['with nothing in front', 0],
    ['behind a prefix', 5],
  ])('keeps packed sequences apart, %s', async (_, prefixLength) => {
    const lengths = [1, 13, 2, 16]
    await check(test(), { ...shape, rows: 32, lengths, prefixLength, maxRows: 35 })
  })

  it('keeps the precision of rows whose gradients are very different', async () => {
    const rowScale = (row: number) => (row === 7 ? 0 : 10 ** (6 - row))
    const steep = { heads: 32, kvGroups: 2, headDim: 128, rows: 20, prefixLength: 30, rowScale }
    const { actual, expected, end } = await differentiate(test(), steep)
    const tolerance = toleranceOf(test().gpu, steep)
    expectClose(actual.dprefix, expected.dprefix, tolerance)
    const width = end / steep.rows
    for (let row = 0; row < steep.rows; row++) {
      // Keys and values are seen by rows further down; queries by their own row alone.
      const queries = [row * width, row * width + steep.heads * steep.headDim]
      expectClose(actual.dqkv.subarray(...queries), expected.dqkv.subarray(...queries), tolerance)
    }
  })

  it('takes gradients of any size', async () => {
    for (const size of [1e-12, 1e8]) {
      await check(test(), { ...shape, rows: 5, prefixLength: 5, maxRows: 35, rowScale: () => size })
    }
  })

  it('gives the same to the bit every time', async () => {
    const first = await differentiate(test(), { ...shape, rows: 19, prefixLength: 5, maxRows: 35 })
    const second = await differentiate(test(), { ...shape, rows: 19, prefixLength: 5, maxRows: 35 })
    expect(new Uint32Array(second.actual.dqkv.buffer)).toEqual(new Uint32Array(first.actual.dqkv.buffer))
    expect(second.actual.dprefix).toEqual(first.actual.dprefix)
  })
})

describe('reference of the backward pass of attention', () => {
  it('is the slope of the forward pass', () => {
    const constants = { heads: 4, kvGroups: 2, headDim: 4, prefixLength: 2, prefixStride: 16, maxRows: 3 }
    const rows = constants.maxRows
    const inputs = { qkv: randomNormal(rows * 32, 1), prefix: randomNormal(2 * 16, 2) }
    const dy = randomNormal(rows * 16, 3)
    const product = (qkv: ArrayLike<number>, prefix: ArrayLike<number>) =>
      attentionTrainingReference(qkv, prefix, constants, rows).y.reduce((sum, v, i) => sum + v * dy[i], 0)
    const { dqkv, dprefix } = attentionBackwardReference(inputs.qkv, inputs.prefix, dy, constants, rows)
    const step = 1e-5
    const slope = (name: 'qkv' | 'prefix', i: number) => {
      const [up, down] = [step, -step].map((change) => {
        const moved = { ...inputs, [name]: Float64Array.from(inputs[name]) }
        moved[name][i] += change
        return product(moved.qkv, moved.prefix)
      })
      return (up - down) / (2 * step)
    }
    expectClose(
      dqkv,
      Array.from(dqkv, (_, i) => slope('qkv', i)),
      1e-8,
    )
    expectClose(
      dprefix,
      Array.from(dprefix, (_, i) => slope('prefix', i)),
      1e-8,
    )
  })
})
