import { describe, expect, it } from 'vitest'
import { openCheckpoint } from '../src/checkpoint/index.js'
import { loadModel } from '../src/index.js'
import { expectClose, randomNormal } from '../src/kernels/testing/numbers.js'
import { randomModel, randomPrefix } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

const IDS = Array.from({ length: 37 }, (_, i) => (i * 89 + 7) % 320)
const TOLERANCE = 2e-3

describe('logits on the GPU equal the float64 reference on the dequantized weights', () => {
  for (const [name, matrices] of Object.entries({
    INT4: { type: 'q4', groupSize: 32 },
    INT8: { type: 'q8', groupSize: 32 },
    float16: 'F16',
  } as const)) {
    it(`with ${name} weights, with and without a prefix`, async () => {
      const files = await randomModel({ matrices })
      const reference = await ReferenceModel.open(await openCheckpoint(files))
      // Both attentions of prompts that every GPU has are compared with the reference.
      const prefillAttention = name === 'INT4' ? 'tiled' : 'simple'
      const model = await loadModel(files, { activations: 'float', variants: { prefillAttention } })
      try {
        expectClose(await model.logits(IDS), reference.logits(IDS), TOLERANCE)

        const width = 2 * 2 * 32
        const rows = { rows: randomNormal(5 * width, 5), length: 5 }
        const prefix = await model.loadPrefix(await randomPrefix(5, width))
        expect(prefix.length).toBe(5)
        expectClose(await model.logits(IDS, { prefix }), reference.logits(IDS, rows), TOLERANCE)
        expectClose(
          await model.logits(IDS, { prefix, prefixStrength: 0.3 }),
          reference.logits(IDS, rows, 0.3),
          TOLERANCE,
        )
        expect(await model.logits(IDS, { prefix, prefixStrength: 0 })).toEqual(await model.logits(IDS))
      } finally {
        model.dispose()
      }
    })
  }

  it('with dense weights stored as float32 and bfloat16', async () => {
    for (const matrices of ['F32', 'BF16'] as const) {
      const files = await randomModel({ matrices })
      const reference = await ReferenceModel.open(await openCheckpoint(files))
      const model = await loadModel(files, { activations: 'float' })
      expectClose(await model.logits(IDS), reference.logits(IDS), TOLERANCE)
      model.dispose()
    }
  })
})
