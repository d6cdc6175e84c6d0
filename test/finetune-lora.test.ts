/** finetuneLora as a user calls it: what it writes, going on after an interruption, and the adapter that comes back. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { asFloat32Array, MemoryFiles, openCheckpoint, readFile } from '../src/checkpoint/index.js'
import {
  createDataset,
  type FinetuneLoraOptions,
  finetuneLora,
  type TrainingDataset,
} from '../src/finetune.js'
import { type LocalModel, loadModel } from '../src/index.js'
import { randomModel } from './random-model.js'

const SETTINGS = {
  ...{ rank: 2, alpha: 4, targetModules: ['query_key_value', 'dense_4h_to_h'], dropout: 0.1 },
  ...{ learningRate: 5e-2, batchSize: 2, maxSteps: 4, saveInterval: 2, logInterval: 1, seed: 3 },
} as const satisfies FinetuneLoraOptions
const TIMEOUT_MS = 180_000

let model: LocalModel
let dataset: TrainingDataset
beforeAll(async () => {
  model = await loadModel(await randomModel({ matrices: { type: 'q4', groupSize: 32 } }), {
    contextLength: 64,
  })
  const records = ['a', 'on', '你好'].map((prompt) => ({ prompt, response: '世界' }))
  const settings = { format: 'input-output', maxSourceLength: 8, maxTargetLength: 8 } as const
  dataset = await createDataset(records, model.tokenizer, settings)
}, TIMEOUT_MS)
afterAll(() => model?.dispose())

async function factors(files: MemoryFiles) {
  const checkpoint = await openCheckpoint(files)
  const entries = [...checkpoint.tensors.values()].map(async ({ name, dtype, shape }) => {
    return [name, { dtype, shape, values: [...asFloat32Array(await checkpoint.read(name))] }] as const
  })
  return new Map(await Promise.all(entries))
}

it(
  'writes a folder that PEFT loads, goes on where it ended, and gives the adapter back',
  async () => {
    const whole = new MemoryFiles([], 'whole')
    const { adapter, log, steps } = await finetuneLora(model, dataset, { ...SETTINGS, output: whole })
    expect(steps).toBe(4)
    expect(adapter).toMatchObject({ kind: 'lora' })
    const config = JSON.parse(new TextDecoder().decode(await readFile(whole, 'adapter_config.json', 1e6)))
    expect(config).toMatchObject({
      ...{ peft_type: 'LORA', task_type: 'CAUSAL_LM', r: 2, lora_alpha: 4, lora_dropout: 0.1, bias: 'none' },
      ...{ target_modules: ['query_key_value', 'dense_4h_to_h'], use_rslora: false, modules_to_save: null },
    })
    const layer = (index: number, module: string) =>
      `base_model.model.transformer.encoder.layers.${index}.${module}`
    const trained = await factors(whole)
    const shapes = [...trained].map(([name, { dtype, shape }]) => [name, dtype, ...shape])
    expect(shapes).toEqual(
      [0, 1].flatMap((index) => [
        [`${layer(index, 'self_attention.query_key_value')}.lora_A.weight`, 'F32', 2, 64],
        [`${layer(index, 'self_attention.query_key_value')}.lora_B.weight`, 'F32', 128, 2],
        [`${layer(index, 'mlp.dense_4h_to_h')}.lora_A.weight`, 'F32', 2, 96],
        [`${layer(index, 'mlp.dense_4h_to_h')}.lora_B.weight`, 'F32', 64, 2],
      ]),
    )
    // What it learnt shows.
    const { ids } = dataset.sample(0)
    const loss = async (options: object) => {
      const { tokens } = await model.scores(ids, options)
      return -tokens.slice(-2).reduce((sum, { logprob = 0 }) => sum + logprob, 0)
    }
    expect(await loss({ adapter })).toBeLessThan(0.9 * (await loss({})))
    expect(await loss({ adapter, adapterStrength: 0.5 })).toBeLessThan(await loss({}))

    // Interrupted behind the second step, and resumed.
    const parts = new MemoryFiles([], 'parts')
    const stop = new AbortController()
    const onProgress: FinetuneLoraOptions['onProgress'] = (event) => {
      if (event.type === 'checkpoint' && event.step === 2) stop.abort(new Error('enough'))
    }
    const interrupted = { ...SETTINGS, output: parts, signal: stop.signal, onProgress }
    await expect(finetuneLora(model, dataset, interrupted)).rejects.toThrow('enough')
    await expect(
      finetuneLora(model, dataset, { ...SETTINGS, rank: 3, output: parts, resume: true }),
    ).rejects.toMatchObject({ code: 'training.resume-mismatch' })
    const resumed = await finetuneLora(model, dataset, { ...SETTINGS, output: parts, resume: true })
    expect(resumed.log).toEqual(log)
    expect(await factors(parts)).toEqual(trained)
  },
  TIMEOUT_MS,
)

it('refuses what cannot be before anything is allocated', async () => {
  const refused = (options: object) =>
    expect(finetuneLora(model, dataset, { ...SETTINGS, ...options })).rejects
  await refused({ rank: 65 }).toMatchObject({
    code: 'option.invalid',
    message: expect.stringMatching(/rank.*1 to 64/),
  })
  await refused({ targetModules: ['q_proj'] }).toMatchObject({ code: 'option.invalid' })
  await refused({ targetModules: [] }).toMatchObject({ code: 'option.invalid' })
  await refused({ dropout: 1 }).toMatchObject({ code: 'option.invalid' })
})
