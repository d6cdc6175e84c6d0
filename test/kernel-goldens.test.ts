import { expect, it } from 'vitest'
import { ropeTable } from '../src/kernels/attention/rope/rope.js'
import { ropeReference } from '../src/kernels/attention/rope/rope.reference.js'
import { rmsNormReference } from '../src/kernels/layers/rms-norm/rms-norm.reference.js'
import { expectClose } from '../src/kernels/testing/numbers.js'
import { describeGolden, goldenFloats, goldenIds, openGolden } from './goldens.js'

const HEAD_DIM = 128

describeGolden('the kernels at the real sizes, against the reference implementation', () => {
  const open = () => openGolden('kernels', 'rope_rmsnorm_realdim.safetensors')

  for (const ratio of [1, 50]) {
    it(`have its rotary table with rope_ratio ${ratio}, up to position 32767`, async () => {
      const golden = await open()
      const positions = await goldenIds(golden, 'rope.positions')
      const expected = await goldenFloats(golden, `rope.ratio${ratio}.f32`)
      const width = HEAD_DIM / 2
      const table = ropeTable(Math.max(...positions) + 1, HEAD_DIM, 10_000 * ratio)
      const rows = positions.flatMap((position) => [
        ...table.subarray(position * width, (position + 1) * width),
      ])
      // An angle of 32767 is a multiple of 1/512 in f32, so that one rounding step is 2e-3; most agree exactly.
      expectClose(rows, expected, 2e-3)
      const exact = rows.filter((value, i) => Math.abs(value - expected[i]) < 1e-6).length
      expect(exact / rows.length).toBeGreaterThan(0.95)
    })
  }

  it('turn the first half of a head as it does', async () => {
    const golden = await open()
    const positions = await goldenIds(golden, 'rope.positions')
    const x = await goldenFloats(golden, 'x')
    // One query head, one key group, and values that stay; the sample has two heads to a position.
    const shape = { heads: 1, kvGroups: 1, headDim: HEAD_DIM }
    const rows = positions.flatMap((_, row) => [
      ...x.subarray(row * 2 * HEAD_DIM, (row + 1) * 2 * HEAD_DIM),
      ...new Array<number>(HEAD_DIM).fill(0),
    ])
    const turned = ropeReference(rows, positions, shape, 10_000)
    const actual = positions.flatMap((_, row) => [
      ...turned.subarray(row * 3 * HEAD_DIM, row * 3 * HEAD_DIM + 2 * HEAD_DIM),
    ])
    const expected = await goldenFloats(golden, 'apply_rotary_pos_emb(x, cache f32 ratio1)')
    expectClose(actual, expected, 2e-3)
  })

  it('normalise 4096 elements as it does', async () => {
    const golden = await open()
    const [x, weight, y] = await Promise.all(
      ['rms.x', 'rms.w', 'rms.y_f32'].map((name) => goldenFloats(golden, name)),
    )
    expectClose(rmsNormReference(x, weight, 1e-5), y, 1e-5)
  })
})
