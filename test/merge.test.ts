/** Merging an adapter into a checkpoint. */
import { expect, it } from 'vitest'
import { asUint16Array, float16ToFloat32, MemoryFiles, openCheckpoint } from '../src/checkpoint/index.js'
import { mergeAdapter } from '../src/finetune.js'
import { modelTensors, tensorList } from '../src/runtime/model/tensors.js'
import { openRandomLora, randomLora } from './random-lora.js'
import { randomModel } from './random-model.js'
import { ReferenceModel } from './reference-model.js'

const MODULES = ['query_key_value', 'dense', 'dense_h_to_4h', 'dense_4h_to_h']

it('an adapter is merged into every matrix it is for, rounded once, and nothing else changes', async () => {
  const source = await randomModel()
  const lora = await randomLora({ modules: MODULES, rank: 3, config: { use_rslora: true } })
  const destination = new MemoryFiles([], 'merged')
  const { files } = await mergeAdapter(source, lora, destination)
  expect([...files.keys()].sort()).toEqual([
    'config.json',
    'model.safetensors',
    'model.safetensors.index.json',
    'tokenizer.model',
  ])
  const checkpoint = await openCheckpoint(destination)
  expect(checkpoint.config).toEqual((await openCheckpoint(source)).config)
  const reference = await ReferenceModel.open(await openCheckpoint(source))
  const merged = await reference.merged(await openRandomLora(lora))
  const specs = tensorList(modelTensors(reference.config))
  expect(checkpoint.tensors.size).toBe(specs.length)
  for (const spec of specs) {
    const halves = asUint16Array(await checkpoint.read(spec.name))
    const expected = merged.weight(spec)
    const isRounded = (value: number, i: number) =>
      Math.abs(value - expected[i]) <= 2 ** -11 * Math.abs(expected[i]) + 2 ** -25
    expect(float16ToFloat32(halves).every(isRounded), spec.name).toBe(true)
  }
})

it('quantized weights are not merged into, and another base is named, before anything is written', async () => {
  const destination = new MemoryFiles([], 'merged')
  const quantized = await randomModel({ matrices: { type: 'q4', groupSize: 32 } })
  await expect(mergeAdapter(quantized, await randomLora(), destination)).rejects.toMatchObject({
    code: 'checkpoint.not-quantizable',
    message: expect.stringMatching(/query_key_value.*Merge it into the float16 checkpoint/),
  })
  const other = await randomLora({ model: { hidden_size: 128 } })
  await expect(mergeAdapter(await randomModel(), other, destination)).rejects.toMatchObject({
    code: 'checkpoint.adapter-invalid',
  })
  expect(await destination.list()).toEqual([])
})
