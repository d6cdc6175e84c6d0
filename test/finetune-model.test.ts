/** Training of all weights through the public API: learnt, interrupted, resumed bit for bit, loaded, converted. */
import { afterEach, describe, expect, it } from 'vitest'
import { MemoryFiles } from '../src/checkpoint/index.js'
import {
  createDataset,
  type FinetuneModelOptions,
  finetuneModel,
  type TrainingEvent,
} from '../src/finetune.js'
import { convertCheckpoint, type LocalModel, loadModel } from '../src/index.js'
import { randomModel } from './random-model.js'

/** The software adapter computes for seconds, and for longer where it shares its cores. */
const TIMEOUT_MS = 240_000

const RECORDS = ['你好', 'a note', 'on', '世界 a'].map((text, i) => ({
  conversations: [
    { role: 'user' as const, content: text },
    { role: 'assistant' as const, content: `${text} ${'to'.repeat(i)}` },
  ],
}))

const SETTINGS: FinetuneModelOptions = {
  learningRate: 3e-3,
  schedule: 'cosine',
  batchSize: 3,
  accumulationSteps: 2,
  maxSteps: 6,
  saveInterval: 3,
  weightDecay: 0.1,
}

describe('all weights of a model', () => {
  const models: LocalModel[] = []
  afterEach(() => {
    for (const model of models.splice(0)) model.dispose()
  })

  async function load(files: MemoryFiles): Promise<LocalModel> {
    // Of two loads on a GPU, each might measure other kernels as the fastest.
    const variants = { prefillProduct: 'float32', prefillAttention: 'simple', decode: 'float' } as const
    const model = await loadModel(files, { contextLength: 64, variants })
    models.push(model)
    return model
  }

  async function train(model: LocalModel, output: MemoryFiles, more: FinetuneModelOptions = {}) {
    const settings = { format: 'multi-turn', maxLength: 40 } as const
    const dataset = await createDataset(RECORDS, model.tokenizer, settings)
    const events: TrainingEvent[] = []
    const run = finetuneModel(model, dataset, {
      ...SETTINGS,
      output,
      evaluation: dataset,
      ...more,
      onProgress: (event) => {
        events.push(event)
        more.onProgress?.(event)
      },
    })
    return { events, outcome: await run.catch((error: Error) => ({ error })) }
  }

  const bytesOf = async (files: MemoryFiles, path: string) =>
    files.read(path, 0, await files.size(path)) as Promise<Uint8Array>

  it(
    'are learnt, are the same after an interruption, and make a checkpoint that loads and converts',
    async () => {
      const model = await load(await randomModel())
      const answer = async (from: LocalModel) =>
        (await from.generate('a note', { temperature: 0, maxTokens: 6 }).result()).ids
      // The cache now holds a prompt that was computed with the old weights.
      await answer(model)
      const whole = new MemoryFiles([], 'whole')
      const { events, outcome } = await train(model, whole)
      expect(outcome).toMatchObject({ steps: 6, stopReason: 'completed' })
      const losses = events.filter((event) => event.type === 'step').map(({ loss }) => loss)
      expect(losses).toHaveLength(6)
      expect(losses[5]).toBeLessThan(losses[0])

      const other = await load(await randomModel())
      const parts = new MemoryFiles([], 'parts')
      const controller = new AbortController()
      const stop = (event: TrainingEvent) => {
        if (event.type === 'step' && event.step === 4) controller.abort(new Error('enough'))
      }
      const interrupted = await train(other, parts, { signal: controller.signal, onProgress: stop })
      expect(interrupted.outcome).toMatchObject({ error: expect.objectContaining({ message: 'enough' }) })
      const resumed = await train(other, parts, { resume: true })
      expect(resumed.events.find((event) => event.type === 'start')).toMatchObject({ step: 4 })
      for (const file of ['model.safetensors', 'config.json', 'tokenizer.model']) {
        expect(await bytesOf(parts, file), file).toEqual(await bytesOf(whole, file))
      }

      // The checkpoint answers what the model answers, which holds it rounded to float16.
      const ids = model.tokenizer.encodePrompt('你好')
      const again = await load(whole)
      expect(await again.logits(ids)).toEqual(await model.logits(ids))
      expect(await answer(model)).toEqual(await answer(again))

      const small = new MemoryFiles([], 'small')
      await convertCheckpoint(whole, small, { quantization: { bits: 4, groupSize: 32 } })
      const quantized = await load(small)
      expect((await quantized.logits(ids)).every(Number.isFinite)).toBe(true)
      const { outcome: refused } = await train(quantized, new MemoryFiles([], 'refused'))
      expect(refused).toMatchObject({ error: expect.objectContaining({ code: 'training.untrainable' }) })
    },
    TIMEOUT_MS,
  )

  it('of a model with fewer rows than its tokenizer has tokens are refused', async () => {
    const model = await load(await randomModel({ config: { padded_vocab_size: 256 } }))
    const { outcome } = await train(model, new MemoryFiles([], 'refused'))
    const message = expect.stringMatching(/has 2\d\d tokens, but padded_vocab_size .* is 256/)
    expect(outcome).toMatchObject({
      error: expect.objectContaining({ code: 'training.untrainable', message }),
    })
  })
})
