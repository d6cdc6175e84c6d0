import { it } from 'vitest'
import { ATTENTION_SPLITS, splitReduction } from '../../common/decode-attention.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileAttentionCombine } from './attention-combine.js'
import { attentionCombineReference } from './attention-combine.reference.js'

describeOnGpu('attention combine', (test) => {
  for (const [heads, headDim, splits] of [
    [4, 16, 1],
    [2, 64, 5],
    [2, 32, ATTENTION_SPLITS],
  ]) {
    it(`puts ${splits} splits of ${heads} heads of ${headDim} together, whatever lies behind them`, async () => {
      const { gpu } = test()
      const length = splits * splitReduction(gpu).u32.LANES
      const parts = randomNormal(heads * ATTENTION_SPLITS * headDim, 1)
      const statistics = randomNormal(heads * ATTENTION_SPLITS * 2, 2, 5).map(Math.abs)
      const combined = Array.from({ length: heads }, (_, head) =>
        Array.from({ length: splits }, (_, s) => {
          const at = head * ATTENTION_SPLITS + s
          const part = parts.slice(at * headDim, (at + 1) * headDim)
          return { part, highest: statistics[2 * at], total: statistics[2 * at + 1] }
        }),
      )
      // Unused splits hold what the last longer sequence left; nothing of it may get into the sum.
      for (let at = 0; at < heads * ATTENTION_SPLITS; at++) {
        if (at % ATTENTION_SPLITS < splits) continue
        parts.fill(Number.NaN, at * headDim, (at + 1) * headDim)
        statistics.fill(Number.NaN, 2 * at, 2 * at + 2)
      }
      const output = {
        blocks: test().output((heads * headDim) / 4, 'blocks'),
        scales: test().output((heads * headDim) / 16, 'scales'),
      }
      const combine = await compileAttentionCombine(gpu, { heads, kvGroups: heads, headDim })
      const rows = test().input(new Uint32Array([1, 0, length - 1, 0]))
      const buffers = { rows, parts: test().input(parts), statistics: test().input(statistics), output }
      test().run(combine.bind('combine', buffers))
      const bytes = new Int8Array((await test().words(output.blocks)).buffer)
      const scales = await test().floats(output.scales)
      const expected = attentionCombineReference(combined)
      const actual = expected.map((_, i) => {
        const word = Math.floor(i / 8) * 2 + (i % 2)
        return bytes[word * 4 + Math.floor((i % 8) / 2)] * scales[Math.floor(i / 32) * 2]
      })
      expectClose(actual, expected, 1e-2)
    })
  }
})
