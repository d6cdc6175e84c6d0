import { expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileRope, ropeTable } from './rope.js'
import { ropeReference } from './rope.reference.js'

describeOnGpu('RoPE', (test) => {
  for (const [headDim, base] of [
    [16, 10_000],
    [128, 500_000],
  ]) {
    it(`turns the first half of heads of ${headDim} and leaves the rest and the values alone`, async () => {
      const shape = { heads: 4, kvGroups: 2, headDim }
      const positions = [0, 1, 37, 999]
      const qkv = randomNormal(positions.length * 8 * headDim, 5)
      const rope = await compileRope(test().gpu, { ...shape, back: false })
      const buffers = {
        rows: test().input(new Uint32Array(positions.flatMap((position) => [9, 0, position, 3]))),
        table: test().input(ropeTable(1000, headDim, base)),
        qkv: test().input(qkv),
      }
      test().run(rope.bind('rope', buffers), positions.length)
      const expected = ropeReference(qkv, positions, shape, base)
      expectClose(await test().floats(buffers.qkv), expected, 1e-4)
    })
  }

  it('turns nothing at position 0', async () => {
    const shape = { heads: 2, kvGroups: 2, headDim: 8 }
    const qkv = randomNormal(6 * 8, 6)
    const rope = await compileRope(test().gpu, { ...shape, back: false })
    const buffers = {
      rows: test().input(new Uint32Array(4)),
      table: test().input(ropeTable(1, 8, 10_000)),
      qkv: test().input(qkv),
    }
    test().run(rope.bind('rope', buffers))
    expect(await test().floats(buffers.qkv)).toEqual(qkv)
  })

  it('turns back to what it was, which is its gradient because a rotation is orthogonal', async () => {
    const shape = { heads: 2, kvGroups: 1, headDim: 16 }
    const qkv = randomNormal(3 * 4 * 16, 7)
    const forward = await compileRope(test().gpu, { ...shape, back: false })
    const back = await compileRope(test().gpu, { ...shape, back: true })
    const buffers = {
      rows: test().input(new Uint32Array([2, 0, 90].flatMap((position) => [9, 0, position, 3]))),
      table: test().input(ropeTable(91, 16, 10_000)),
      qkv: test().input(qkv),
    }
    test().run(forward.bind('rope', buffers), 3)
    expect((await test().floats(buffers.qkv)).some((value, i) => Math.abs(value - qkv[i]) > 0.1)).toBe(true)
    test().run(back.bind('back', buffers), 3)
    expectClose(await test().floats(buffers.qkv), qkv, 1e-6)
  })
})
