import { expect, it } from 'vitest'
import { quantizedActivationsReference } from '../../common/activation-block.reference.js'
import { ATTENTION_SPLITS } from '../../common/decode-attention.js'
import { packHalves, unpackHalves } from '../../common/half.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { compileAttentionCombine } from '../attention-combine/attention-combine.js'
import { compileAttentionDecode } from './attention-decode.js'
import { attentionDecodeReference } from './attention-decode.reference.js'

describeOnGpu('split attention', (test) => {
  const cases = {
    'short and long sequences, with and without a prefix': {
      shape: { heads: 4, kvGroups: 2, headDim: 16 },
      capacity: 330,
      strength: 1,
      rows: [
        { slot: 2, position: 0, prefixLength: 0 },
        { slot: 0, position: 329, prefixLength: 0 },
        { slot: 1, position: 60, prefixLength: 7 },
      ],
    },
    'a prefix of little strength': {
      shape: { heads: 4, kvGroups: 2, headDim: 16 },
      capacity: 80,
      strength: 1e-20,
      rows: [{ slot: 0, position: 3, prefixLength: 70 }],
    },
    'the shape of ChatGLM3: 16 heads of 128 to a group': {
      shape: { heads: 16, kvGroups: 1, headDim: 128 },
      capacity: 40,
      strength: 1,
      rows: [{ slot: 0, position: 35, prefixLength: 2 }],
    },
  }

  for (const [name, { shape, capacity, rows, strength }] of Object.entries(cases)) {
    it(`equals the reference for ${name}, and appends the new row`, async () => {
      const { heads, kvGroups, headDim } = shape
      const { gpu } = test()
      const width = kvGroups * headDim
      const qkvWidth = (heads + 2 * kvGroups) * headDim
      const qkv = randomNormal(rows.length * qkvWidth, 1, 1.5)
      const count = 3 * capacity * width
      const keyWords = packHalves(randomNormal(count, 2))
      const valueWords = packHalves(randomNormal(count, 3))
      const words = rows.flatMap((row) => [1, row.slot, row.position, row.prefixLength])
      const buffers = {
        rows: test().input(new Uint32Array(words)),
        qkv: test().input(qkv),
        keys: test().input(keyWords, 'keys'),
        values: test().input(valueWords, 'values'),
        parameters: test().input(new Float32Array([Math.log(strength)])),
        parts: test().output(rows.length * heads * ATTENTION_SPLITS * headDim, 'parts'),
        statistics: test().output(rows.length * heads * ATTENTION_SPLITS * 2, 'statistics'),
        output: {
          blocks: test().output((rows.length * heads * headDim) / 4, 'blocks'),
          scales: test().output((rows.length * heads * headDim) / 16, 'scales'),
        },
      }
      const decode = await compileAttentionDecode(gpu, { ...shape, capacity })
      const combine = await compileAttentionCombine(gpu, shape)
      test().run([decode('decode', buffers), combine('combine', buffers)], rows.length)

      const keys = unpackHalves(keyWords, count)
      const values = unpackHalves(valueWords, count)
      const expected = rows.flatMap(({ slot, position, prefixLength }, row) => {
        const length = prefixLength + position + 1
        const at = (slot * capacity + length - 1) * width
        const projected = qkv.subarray(row * qkvWidth, (row + 1) * qkvWidth)
        const round = (part: Float32Array) => unpackHalves(packHalves(part), part.length)
        keys.set(round(projected.subarray(heads * headDim, heads * headDim + width)), at)
        values.set(round(projected.subarray(heads * headDim + width)), at)
        const [slotKeys, slotValues] = [keys, values].map((all) => all.subarray(slot * capacity * width))
        const bias = Math.log(strength)
        const query = projected.subarray(0, heads * headDim)
        const y = attentionDecodeReference(query, slotKeys, slotValues, shape, length, prefixLength, bias)
        return Array.from(quantizedActivationsReference(y))
      })
      const bytes = new Int8Array((await test().words(buffers.output.blocks)).buffer)
      const scales = await test().floats(buffers.output.scales)
      const actual = expected.map((_, i) => {
        const word = Math.floor(i / 8) * 2 + (i % 2)
        return bytes[word * 4 + Math.floor((i % 8) / 2)] * scales[Math.floor(i / 32) * 2]
      })
      // One step of 8 bits, where a value lies right between two.
      expectClose(actual, expected, 1e-2)
      expect(unpackHalves(await test().words(buffers.keys), count)).toEqual(keys)
      expect(unpackHalves(await test().words(buffers.values), count)).toEqual(values)
    })
  }
})
