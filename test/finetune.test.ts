/** Training of a prefix on the GPU: from text in the AdvertiseGen format to another answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MemoryFiles } from '../src/checkpoint/index.js'
import {
  evaluate,
  finetunePrefix,
  fromAdvertiseGen,
  previewSample,
  readDataset,
  readEvaluationData,
  type TrainingDataset,
  type TrainingEvent,
} from '../src/finetune.js'
import { type LocalModel, loadModel } from '../src/index.js'
import { randomModel } from './random-model.js'

/** The software adapter computes for seconds, and for longer where it shares its cores. */
const TIMEOUT_MS = 240_000

const ADS = [
  { content: 'a#b', summary: 'good' },
  { content: 'c#d', summary: 'fine' },
].map((value) => JSON.stringify(fromAdvertiseGen({ value, where: 'ads' })))

const SETTINGS = {
  prefixLength: 4,
  learningRate: 0.3,
  schedule: 'constant',
  batchSize: 2,
  accumulationSteps: 1,
  maxSteps: 6,
  saveInterval: 3,
} as const

const file = () => new File([ADS.join('\n')], 'ads.jsonl')

describe('a prefix', () => {
  let model: LocalModel
  let dataset: TrainingDataset
  const whole = new MemoryFiles([], 'whole')
  beforeAll(async () => {
    model = await loadModel(await randomModel(), { contextLength: 64 })
    const settings = { format: 'input-output', maxSourceLength: 16, maxTargetLength: 16 } as const
    dataset = await readDataset(file(), model.tokenizer, settings)
  }, TIMEOUT_MS)
  afterAll(() => model?.dispose())

  const train = async (output: MemoryFiles, more: Parameters<typeof finetunePrefix>[2] = {}) => {
    const events: TrainingEvent[] = []
    const result = await finetunePrefix(model, dataset, {
      ...SETTINGS,
      output,
      evaluation: dataset,
      ...more,
      onProgress: (event) => {
        events.push(event)
        more.onProgress?.(event)
      },
    })
    return { ...result, events }
  }
  const bytes = async (files: MemoryFiles, path: string) => files.read(path, 0, await files.size(path))

  it(
    'is learnt, changes the answer, and is the same after an interruption',
    async () => {
      expect(previewSample(model.tokenizer, dataset.sample(0)).map(({ learnt }) => learnt)).toEqual([
        false,
        true,
      ])
      const { prefix, events, best, stopReason } = await train(whole)
      const losses = events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))
      expect(stopReason).toBe('completed')
      expect(losses[5]).toBeLessThan(losses[0] - 0.5)

      // What inference makes of the files is what training measured.
      const data = await readEvaluationData(file(), model.tokenizer, { maxTargetLength: 16 })
      const before = await evaluate(model, data, { answers: false })
      const after = await evaluate(model, data, { prefix })
      expect(after.loss).toBeCloseTo(best!.loss, 1)
      expect(after.loss).toBeLessThan(before.loss - 0.5)
      expect(after.perplexity).toBeCloseTo(Math.exp(after.loss), 6)
      expect(after.answers).toHaveLength(2)
      const ids = model.tokenizer.encodePrompt('a#b')
      const { ids: plain } = await model.generate(ids, { temperature: 0, maxTokens: 4 }).result()
      const { ids: tuned } = await model.generate(ids, { temperature: 0, maxTokens: 4, prefix }).result()
      expect(tuned).not.toEqual(plain)

      const parts = new MemoryFiles([], 'parts')
      const controller = new AbortController()
      const reason = new Error('stop')
      const stop = (event: TrainingEvent) => {
        if (event.type === 'step' && event.step === 4) controller.abort(reason)
      }
      await expect(train(parts, { signal: controller.signal, onProgress: stop })).rejects.toBe(reason)
      const resumed = await train(parts, { resume: true })
      expect(resumed.events[0]).toMatchObject({ type: 'start', step: 4 })
      for (const path of ['model.safetensors', 'checkpoint-6/optimizer.safetensors', 'trainer_state.json']) {
        expect(await bytes(parts, path), path).toEqual(await bytes(whole, path))
      }
    },
    TIMEOUT_MS,
  )

  it(
    'of another model is refused',
    async () => {
      const other = await loadModel(await randomModel({ config: { num_layers: 1 } }), { contextLength: 64 })
      try {
        await expect(other.loadPrefix(whole)).rejects.toMatchObject({ code: 'checkpoint.prefix-invalid' })
        await expect(
          finetunePrefix(other, dataset, { ...SETTINGS, output: whole, resume: true }),
        ).rejects.toThrow('was begun with a model of layers 2, not 1')
      } finally {
        other.dispose()
      }
    },
    TIMEOUT_MS,
  )
})
