import { expect, it } from 'vitest'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileDropout } from '../dropout/dropout.js'
import { prefixDropoutWords } from '../prefix-dropout/prefix-dropout.js'
import { compileLowRank } from './low-rank.js'
import { lowRankDownReference, lowRankUpReference } from './low-rank.reference.js'

describeOnGpu('products of low rank', (test) => {
  for (const [rows, width, rank] of [
    [3, 4, 1],
    [5, 1052, 8],
    [8, 36, 11],
  ]) {
    it(`go down from ${width} to ${rank} and up again, for ${rows} rows`, async () => {
      const { gpu } = test()
      const room = 4 * Math.ceil(rows / 4)
      const x = randomNormal(room * width, 1)
      const w = randomNormal(rank * width, 2)
      const before = randomNormal(room * width, 3)
      const [down, up] = await Promise.all([
        compileLowRank(gpu, { rank, width }, { kind: 'down', scale: 0.5 }),
        compileLowRank(gpu, { rank, width }, { kind: 'up', masked: false }),
      ])
      const buffers = { x: test().input(x), w: test().input(w), h: test().output(room * rank, 'h') }
      const y = test().input(before, 'y')
      test().run(down.bind('down', { x: buffers.x, w: buffers.w, y: buffers.h }), rows)
      test().run(up.bind('up', { x: buffers.h, w: buffers.w, y }), rows)
      const h = lowRankDownReference(x, w, width, 0.5)
      expectClose(await test().floats(buffers.h), h, 3e-6)
      const added = lowRankUpReference(h, w, rank)
      expectClose(
        await test().floats(y),
        before.map((value, i) => value + added[i]),
        3e-6,
      )
    })
  }

  it('drop the same elements on the way up that dropout drops', async () => {
    const { gpu } = test()
    const [rows, width, rank] = [4, 64, 2]
    const [x, w] = [randomNormal(rows * rank, 1), randomNormal(rank * width, 2)]
    const parameters = test().input(prefixDropoutWords(0.25, 99, 1), 'parameters')
    const [dropout, up] = await Promise.all([
      compileDropout(gpu, { width }),
      compileLowRank(gpu, { rank, width }, { kind: 'up', masked: true }),
    ])
    const ones = test().input(new Float32Array(rows * width).fill(1))
    const mask = test().output(rows * width, 'mask')
    const y = test().input(new Float32Array(rows * width), 'y')
    test().run(dropout.bind('dropout', { parameters, x: ones, y: mask }), rows)
    test().run(up.bind('up', { x: test().input(x), w: test().input(w), y, parameters }), rows)
    const kept = await test().floats(mask)
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    const share = kept.filter((value) => value === 0).length / kept.length
    expect(share).toBeGreaterThan(0.15)
    expect(share).toBeLessThan(0.35)
    const product = lowRankUpReference(x, w, rank)
    expectClose(
      await test().floats(y),
      kept.map((value, i) => value * product[i]),
      3e-6,
    )
  })

  it('name sizes that they cannot run', async () => {
    const { gpu } = test()
    const refused = { code: 'option.kernel-argument' }
    await expect(
      compileLowRank(gpu, { rank: 2, width: 6 }, { kind: 'down', scale: 1 }),
    ).rejects.toMatchObject(refused)
    await expect(compileDropout(gpu, { width: 6 })).rejects.toMatchObject(refused)
  })
})
