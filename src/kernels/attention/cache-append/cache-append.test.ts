import { expect, it } from 'vitest'
import { floatToHalf, halfToFloat, packHalves, unpackHalves } from '../../common/half.js'
import { describeOnGpu } from '../../testing/gpu.js'
import { randomNormal } from '../../testing/numbers.js'
import { compileCacheAppend } from './cache-append.js'
import { cacheAppendReference } from './cache-append.reference.js'

describeOnGpu('cache append', (test) => {
  it('writes keys and values behind the prefix of their slot, as f16, and nothing else', async () => {
    const shape = { heads: 4, kvGroups: 2, headDim: 20 }
    const [capacity, slots, width] = [5, 3, 40]
    const rows = [
      { slot: 2, position: 1, prefixLength: 3 },
      { slot: 0, position: 0, prefixLength: 0 },
    ]
    const qkv = randomNormal(rows.length * 8 * 20, 7)
    const cache = randomNormal(slots * capacity * width, 8)
    const append = await compileCacheAppend(test().gpu, shape, capacity)
    const buffers = {
      rows: test().input(
        new Uint32Array(rows.flatMap((row) => [1, row.slot, row.position, row.prefixLength])),
      ),
      qkv: test().input(qkv),
      keys: test().input(packHalves(cache)),
      values: test().input(packHalves(cache)),
    }
    test().run([append('append', buffers)], rows.length)

    for (const [buffer, offset] of [
      [buffers.keys, 80],
      [buffers.values, 120],
    ] as const) {
      const part = rows.flatMap((_, row) =>
        Array.from(qkv.subarray(row * 160 + offset, row * 160 + offset + width)),
      )
      const expected = Float64Array.from(cache)
      cacheAppendReference(part, expected, rows, shape, capacity)
      const rounded = Float32Array.from(expected, (value) => halfToFloat(floatToHalf(value)))
      expect(unpackHalves(await test().words(buffer), cache.length)).toEqual(rounded)
    }
  })
})
