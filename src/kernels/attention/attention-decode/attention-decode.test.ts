import { expect, it } from 'vitest'
import { quantizedActivationsReference } from '../../common/activation-block.reference.js'
import { packHalves, unpackHalves } from '../../common/half.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { expectClose, randomNormal } from '../../testing/numbers.js'
import { randomCache } from '../../testing/paged-cache.js'
import { compileAttentionCombine } from '../attention-combine/attention-combine.js'
import { canRunAttentionDecodeOnMatrices, compileAttentionDecode } from './attention-decode.js'
import { attentionDecodeReference } from './attention-decode.reference.js'

describeOnGpu('split attention', (test) => {
  const cases = {
    'short and long sequences, with and without a prefix': {
      shape: { heads: 4, kvGroups: 2, headDim: 16 },
      capacity: 330,
      strength: 1,
      splits: 64,
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
      splits: 64,
      rows: [{ slot: 0, position: 3, prefixLength: 70 }],
    },
    'the shape of ChatGLM3: 16 heads of 128 to a group': {
      shape: { heads: 16, kvGroups: 1, headDim: 128 },
      capacity: 40,
      strength: 1,
      splits: 16,
      rows: [{ slot: 0, position: 35, prefixLength: 2 }],
    },
  }

  for (const [name, { shape, capacity, rows, strength, splits }] of Object.entries(cases)) {
    it(`equals the reference for ${name}, and appends the new row`, async () => {
      const { heads, kvGroups, headDim } = shape
      const { gpu } = test()
      const width = kvGroups * headDim
      const qkvWidth = (heads + 2 * kvGroups) * headDim
      const qkv = randomNormal(rows.length * qkvWidth, 1, 1.5)
      const cache = randomCache(test(), { slots: 3, rows: capacity, width, strength })
      const words = rows.flatMap((row) => [1, row.slot, row.position, row.prefixLength])
      const buffers = {
        ...cache,
        rows: test().input(new Uint32Array(words)),
        qkv: test().input(qkv),
        parts: test().output(rows.length * heads * splits * headDim, 'parts'),
        statistics: test().output(rows.length * heads * splits * 2, 'statistics'),
        output: {
          blocks: test().output((rows.length * heads * headDim) / 4, 'blocks'),
          scales: test().output((rows.length * heads * headDim) / 16, 'scales'),
        },
      }
      const constants = { ...shape, slotPages: cache.slotPages, splits }
      const onMatrices = canRunAttentionDecodeOnMatrices(gpu, constants)
      const decode = await compileAttentionDecode(gpu, constants, { onMatrices })
      const combine = await compileAttentionCombine(gpu, constants, { output: 'blocks' })
      test().run([...decode.bind('decode', buffers), ...combine.bind('combine', buffers)], rows.length)

      const count = 2 * cache.words.keys.length
      const [keys, values] = [cache.words.keys, cache.words.values].map((all) => unpackHalves(all, count))
      const expected = rows.flatMap(({ slot, position, prefixLength }, row) => {
        const length = prefixLength + position + 1
        const projected = qkv.subarray(row * qkvWidth, (row + 1) * qkvWidth)
        const round = (part: Float32Array) => unpackHalves(packHalves(part), part.length)
        const newKey = round(projected.subarray(heads * headDim, heads * headDim + width))
        const newValue = round(projected.subarray(heads * headDim + width))
        const at = cache.row(slot, length - 1) * width
        keys.set(newKey, at)
        values.set(newValue, at)
        const slotKeys = cache.rowsOf('keys', slot, length)
        const slotValues = cache.rowsOf('values', slot, length)
        slotKeys.set(newKey, (length - 1) * width)
        slotValues.set(newValue, (length - 1) * width)
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
      expect(unpackHalves(await test().words(cache.keys), count)).toEqual(keys)
      expect(unpackHalves(await test().words(cache.values), count)).toEqual(values)
    })
  }
})
