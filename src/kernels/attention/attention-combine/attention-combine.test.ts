import { it } from 'vitest'
import { splitReduction } from '../../common/decode-attention.js'
import { halfTileBytes } from '../../common/half-tiles.js'
import { activationOutputs, activations } from '../../testing/activations.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { halfTileValues } from '../../testing/half-tiles.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileAttentionCombine } from './attention-combine.js'
import { attentionCombineReference } from './attention-combine.reference.js'

describeOnGpu('attention combine', (test) => {
  for (const [heads, headDim, splits, most] of [
    [4, 16, 1, 64],
    [2, 64, 5, 16],
    [2, 32, 64, 64],
  ]) {
    it(`puts ${splits} splits of ${heads} heads of ${headDim} together, whatever lies behind them`, async () => {
      const { gpu } = test()
      const length = splits * splitReduction(gpu).u32.LANES
      const parts = randomNormal(heads * most * headDim, 1)
      const statistics = randomNormal(heads * most * 2, 2, 5).map(Math.abs)
      const combined = Array.from({ length: heads }, (_, head) =>
        Array.from({ length: splits }, (_, s) => {
          const at = head * most + s
          const part = parts.slice(at * headDim, (at + 1) * headDim)
          return { part, highest: statistics[2 * at], total: statistics[2 * at + 1] }
        }),
      )
      // Unused splits hold what the last longer sequence left; nothing of it may get into the sum.
      for (let at = 0; at < heads * most; at++) {
        if (at % most < splits) continue
        parts.fill(Number.NaN, at * headDim, (at + 1) * headDim)
        statistics.fill(Number.NaN, 2 * at, 2 * at + 2)
      }
      const blocks = activationOutputs(test(), heads * headDim)
      const halves = test().output(halfTileBytes(1, heads * headDim) / 4, 'halves')
      const constants = { heads, kvGroups: heads, headDim, splits: most }
      const intoBlocks = await compileAttentionCombine(gpu, constants, { output: 'blocks' })
      const intoHalves = await compileAttentionCombine(gpu, constants, { output: 'halves' })
      const rows = test().input(new Uint32Array([1, 0, length - 1, 0]))
      const buffers = { rows, parts: test().input(parts), statistics: test().input(statistics) }
      test().run(intoBlocks.bind('combine', { ...buffers, output: blocks }))
      test().run(intoHalves.bind('combine', { ...buffers, output: { halves } }))
      const expected = attentionCombineReference(combined)
      expectClose(await activations(test(), blocks), expected, 1e-2)
      expectClose(halfTileValues(await test().words(halves), 1, heads * headDim), expected, 1e-2)
    })
  }
})
