/** Folders of onnxruntime-genai's builder, which rotate a prefix with the tokens: against the official code and the reference. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type FloatDType, openCheckpoint, toFloat32 } from '../src/checkpoint/index.js'
import { loadModel } from '../src/index.js'
import { builderModel } from './builder-graph.js'
import { describeGolden, goldenFloats, goldenIds, openGolden } from './goldens.js'
import { ReferenceModel } from './reference-model.js'

/** Of every logit, relative to the largest. */
const TOLERANCE = 5e-3

function expectCloseLogits(actual: Float32Array, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length)
  const all = Array.from(expected)
  const largest = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const worst = all.reduce((most, value, i) => Math.max(most, Math.abs(actual[i] - value)), 0)
  expect(worst / largest).toBeLessThan(TOLERANCE)
}

describeGolden('a folder of the builder of onnxruntime-genai', (goldens) => {
  it.each(['mqa-d32', 'mqa-d128'])(
    'has the logits of the official code, with and without a prefix: %s',
    async (name) => {
      const model = await ReferenceModel.open(await openGolden(name))
      const { folder } = await builderModel(model, 'float32')
      const golden = await openGolden(name, 'golden.safetensors')
      const ids = await goldenIds(golden, 'input_ids')
      const loaded = await loadModel(folder, { contextLength: 64 })
      expect(loaded.config).toMatchObject({ hidden: model.config.hidden, ffn: model.config.ffn })
      expectCloseLogits(await loaded.logits(ids), await goldenFloats(golden, 'base.logits'))
      const adapter = await loaded.loadAdapter(join(goldens, name, 'prefix_pytorch_model.bin'))
      expectCloseLogits(await loaded.logits(ids, { adapter }), await goldenFloats(golden, 'prefix.logits'))
      const greedy = await goldenIds(golden, 'prefix.greedy_ids')
      const options = { adapter, temperature: 0, stopIds: [], maxTokens: greedy.length }
      expect((await loaded.generate(ids, options).result()).ids).toEqual(greedy)
      await expect(loaded.logits(ids, { adapter, prefixStrength: 0.5 })).rejects.toMatchObject({
        code: 'option.invalid',
      })
      loaded.dispose()
    },
  )

  it('of 4 bits without zeros has the logits of its weights, with and without a prefix', async () => {
    const { folder, reference } = await builderModel(
      await ReferenceModel.open(await openGolden('mqa-d128')),
      'int4',
    )
    const loaded = await loadModel(folder, {
      contextLength: 64,
      onnxRuntime: () => import('onnxruntime-web'),
    })
    expect(loaded.config.ffn).toBe(reference.config.ffn)
    const ids = [5, 77, 120, 3, 3, 41]
    expectCloseLogits(await loaded.logits(ids), reference.logits(ids))
    const files = join(goldens, 'mqa-d128', 'prefix_encoder.safetensors')
    const checkpoint = await openCheckpoint(files)
    const [{ name, shape, dtype }] = checkpoint.tensors.values()
    const rows = toFloat32(await checkpoint.read(name), dtype as FloatDType)
    const adapter = await loaded.loadAdapter(files)
    expectCloseLogits(
      await loaded.logits(ids, { adapter }),
      reference.logits(ids, { rows, length: shape[0] }),
    )
    loaded.dispose()
  })
})
