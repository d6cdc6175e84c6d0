import { expect, it } from 'vitest'
import { floatToHalf, halfToFloat, unpackHalves } from '../../common/half.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { randomNormal } from '../../testing/numbers.js'
import { randomCache } from '../../testing/paged-cache.js'
import { compileCacheAppend } from './cache-append.js'
import { cacheAppendReference } from './cache-append.reference.js'

describeOnGpu('cache append', (test) => {
  it('writes keys and values behind the prefix of their slot, as f16, and nothing else', async () => {
    const shape = { heads: 4, kvGroups: 2, headDim: 20 }
    const width = 40
    const rows = [
      { slot: 2, position: 61, prefixLength: 3 },
      { slot: 0, position: 0, prefixLength: 0 },
      { slot: 2, position: 60, prefixLength: 3 },
    ]
    const qkv = randomNormal(rows.length * 8 * 20, 7)
    const cache = randomCache(test(), { slots: 3, rows: 70, width })
    const append = await compileCacheAppend(test().gpu, { ...shape, slotPages: cache.slotPages })
    const buffers = {
      ...cache,
      rows: test().input(
        new Uint32Array(rows.flatMap((row) => [1, row.slot, row.position, row.prefixLength])),
      ),
      qkv: test().input(qkv),
    }
    test().run(append.bind('append', buffers), rows.length)

    for (const [name, offset] of [
      ['keys', 80],
      ['values', 120],
    ] as const) {
      const part = rows.flatMap((_, row) =>
        Array.from(qkv.subarray(row * 160 + offset, row * 160 + offset + width)),
      )
      const count = 2 * cache.words[name].length
      const expected = Float64Array.from(unpackHalves(cache.words[name], count))
      cacheAppendReference(part, expected, rows, shape, cache.row)
      const rounded = Float32Array.from(expected, (value) => halfToFloat(floatToHalf(value)))
      expect(unpackHalves(await test().words(cache[name]), count)).toEqual(rounded)
    }
  })
})
