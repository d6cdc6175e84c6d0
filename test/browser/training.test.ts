/** Training in the Web Worker of a real browser, on the software adapter. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DatasetHandle, TrainingEvent } from '../../src/finetune.js'
import { randomModel } from '../random-model.js'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

const ADVERTISEMENTS = [
  { content: 'a#b', summary: 'good' },
  { content: 'c#d', summary: 'fine' },
]

const SETTINGS = {
  prefixLength: 4,
  learningRate: 0.3,
  schedule: 'constant',
  batchSize: 2,
  accumulationSteps: 1,
  maxSteps: 4,
  saveInterval: 2,
} as const

declare global {
  var dataset: DatasetHandle
  var settings: typeof SETTINGS
  var folderIn: (name: string) => Promise<FileSystemDirectoryHandle>
  /** The trained numbers in a folder, as text. */
  var trainedIn: (folder: FileSystemDirectoryHandle) => Promise<string>
}

describe.runIf(hasBrowser)('training in a worker', { timeout: 300_000 }, () => {
  let tests: BrowserTests
  let page: Page

  beforeAll(async () => {
    const checkpoint = await randomModel()
    tests = await startBrowserTests()
    for (const path of await checkpoint.list()) {
      tests.server.serveBytes(`/random/${path}`, await checkpoint.read(path, 0, await checkpoint.size(path)))
    }
    page = await tests.openPage()
    await page.evaluate(
      async ([records, settings]) => {
        globalThis.settings = settings
        globalThis.folderIn = async (name) =>
          (await navigator.storage.getDirectory()).getDirectoryHandle(name, { create: true })
        globalThis.trainedIn = async (folder) =>
          (await (await folder.getFileHandle('model.safetensors')).getFile()).text()
        globalThis.model = await chatglm.loadModelInWorker('/random/', {
          worker: losableWorker,
          contextLength: 64,
        })
        globalThis.dataset = await model.readDataset(
          new File([records], 'ads.json'),
          { format: 'input-output', maxSourceLength: 16, maxTargetLength: 16 },
          { convert: true },
        )
      },
      [JSON.stringify(ADVERTISEMENTS), SETTINGS] as const,
    )
  }, 120_000)
  afterAll(() => tests?.close())

  it('reads published data there, shows what is learnt of a sample, and plans the memory', async () => {
    const { facts, parts, memory } = await page.evaluate(async () => ({
      facts: dataset,
      parts: await model.previewSample(dataset, 0),
      memory: await model.planTrainingMemory(dataset, settings),
    }))
    expect(facts).toMatchObject({ name: 'ads.json', length: 2, truncated: 0, empty: 0 })
    const learnt = parts.filter(({ learnt }) => learnt).map(({ text }) => text)
    expect(learnt.join('').trim()).toBe('good</s>')
    expect(parts[0]).toMatchObject({ learnt: false, text: expect.stringContaining('a#b') })
    expect(memory.length).toBeGreaterThan(3)
  })

  it('makes a prefix that answers at once, while its steps are told in order', async () => {
    const { events, planned, result, losses, memory } = await page.evaluate(async () => {
      const events: TrainingEvent[] = []
      const planned = await model.planTrainingMemory(dataset, settings)
      const { prefix, ...result } = await model.finetunePrefix(dataset, {
        ...settings,
        evaluation: dataset,
        onProgress: (event) => events.push(event),
      })
      const loss = async (chosen?: typeof prefix) =>
        (await model.logits([5, 6, 7], chosen && { prefix: chosen })).subarray(0, 8).join()
      const losses = [await loss(), await loss(prefix)]
      await model.unloadPrefix(prefix)
      return { events, planned, result, losses, memory: model.memory }
    })
    const steps = events.filter((event) => event.type === 'step')
    expect(events[0]).toMatchObject({ type: 'start', step: 0, maxSteps: 4, memory: planned })
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4])
    expect(events.at(-1)).toMatchObject({ type: 'checkpoint', step: 4 })
    expect(result).toMatchObject({ steps: 4, stopReason: 'completed', best: { step: 4 } })
    expect(steps[3].loss).toBeLessThan(steps[0].loss)
    expect(losses[0]).not.toBe(losses[1])
    expect(memory.prefixes).toBe(0)
  })

  it('saves a checkpoint when it is aborted, and goes on from it as if nothing had been', async () => {
    const { same, isReason, at, resumedAt } = await page.evaluate(async () => {
      const train = (output: FileSystemDirectoryHandle, more: object = {}) =>
        model.finetunePrefix(dataset, { ...settings, maxSteps: 16, saveInterval: 16, output, ...more })
      const whole = await folderIn('whole')
      await train(whole)
      const broken = await folderIn('broken')
      const abort = new AbortController()
      const reason = new Error('enough')
      let at = 0
      const thrown = await train(broken, {
        signal: abort.signal,
        onProgress: (event: TrainingEvent) => {
          if (event.type === 'step' && event.step === 2) abort.abort(reason)
          if (event.type === 'checkpoint') at = event.step
        },
      }).catch((error: unknown) => error)
      let resumedAt = -1
      await train(broken, {
        resume: true,
        onProgress: (event: TrainingEvent) => {
          if (event.type === 'start') resumedAt = event.step
        },
      })
      const same = (await trainedIn(whole)) === (await trainedIn(broken))
      return { same, isReason: thrown === reason, at, resumedAt }
    })
    expect(isReason).toBe(true)
    expect(at).toBeGreaterThanOrEqual(2)
    expect(at).toBeLessThan(16)
    expect(resumedAt).toBe(at)
    expect(same).toBe(true)
  })

  it('writes into the store, where the prefix stays', async () => {
    const result = await page.evaluate(async () => {
      const store = await chatglm.ModelStore.open()
      const caught = (work: Promise<unknown>) =>
        work.then(
          () => 'nothing',
          ({ code }: { code: string }) => code,
        )
      let during: unknown
      const training = model.finetunePrefix(dataset, {
        ...settings,
        output: store.output('ads'),
        onProgress: async ({ type }) => {
          if (type === 'start')
            during = (await store.list()).map(({ name, complete }) => ({ name, complete }))
        },
      })
      const busy = await caught(model.finetunePrefix(dataset, { ...settings, output: store.output('ads') }))
      await training
      const items = await store.list()
      const { damaged } = await store.verify('ads')
      const prefix = await model.loadPrefix(store.source('ads'))
      const again = await caught(model.finetunePrefix(dataset, { ...settings, output: store.output('ads') }))
      await store.add('taken', [new File(['{}'], 'config.json')], 'model')
      const taken = await caught(
        model.finetunePrefix(dataset, { ...settings, output: store.output('taken') }),
      )
      const failed = await caught(
        model.finetunePrefix(dataset, { ...settings, maxSteps: 0, output: store.output('failed') }),
      )
      const after = await store.list()
      await store.deleteAll()
      return { during, items, damaged, length: prefix.length, busy, again, taken, failed, after }
    })
    expect(result).toMatchObject({
      during: [{ name: 'ads', complete: false }],
      items: [{ name: 'ads', kind: 'prefix', source: 'training', complete: true }],
      damaged: [],
      length: 4,
      busy: 'busy.stored-item',
      again: 'training.resume-mismatch',
      taken: 'sink.occupied',
      failed: 'option.invalid',
    })
    // What failed before its first checkpoint leaves nothing, and what was there stays as it was.
    expect(result.after).toMatchObject([
      { name: 'ads', kind: 'prefix', complete: true },
      { name: 'taken', kind: 'model', complete: true },
    ])
  })

  it('writes into a sink of the page', async () => {
    const { files, same } = await page.evaluate(async () => {
      const output = new chatglm.MemoryFiles()
      await model.finetunePrefix(dataset, { ...settings, output })
      await model.finetunePrefix(dataset, { ...settings, output: await folderIn('four') })
      const bytes = await output.read('model.safetensors', 0, await output.size('model.safetensors'))
      const same = new TextDecoder().decode(bytes) === (await trainedIn(await folderIn('four')))
      return { files: await output.list(), same }
    })
    expect(files).toEqual(['checkpoints.json', 'config.json', 'model.safetensors', 'trainer_state.json'])
    expect(same).toBe(true)
  })

  it('throws errors with code, message, details and cause', async () => {
    const errors = await page.evaluate(async () => {
      const caught = async (work: () => Promise<unknown>) => {
        const error = await work().then(
          () => new Error('nothing was thrown'),
          (thrown: Error) => thrown,
        )
        const { code, message, details, cause } = error as InstanceType<typeof chatglm.ChatGLMError>
        return { code, message, details, cause: (cause as { code?: string } | undefined)?.code }
      }
      const pairs = { format: 'input-output', maxSourceLength: 16, maxTargetLength: 16 } as const
      const read = (text: string) => model.readDataset(new File([text], 'bad.jsonl'), pairs)
      const loaded = await read('{"prompt": "a", "response": "b"}')
      await model.unloadDataset(loaded)
      return {
        line: await caught(() => read('{"prompt": "a", "response": "b"}\n{"prompt": 1}')),
        unloaded: await caught(() => model.finetunePrefix(loaded, settings)),
        option: await caught(() => model.finetunePrefix(dataset, { ...settings, learningRate: -1 })),
        path: await caught(() => model.finetunePrefix(dataset, { ...settings, output: 'output/ads' })),
        diverged: await caught(() =>
          model.finetunePrefix(dataset, {
            ...settings,
            saveInterval: 1,
            maxGradientNorm: 0,
            learningRate: 1e38,
          }),
        ),
      }
    })
    const codes = Object.fromEntries(Object.entries(errors).map(([call, { code }]) => [call, code]))
    expect(codes).toEqual({
      line: 'input.dataset',
      unloaded: 'input.dataset',
      option: 'option.invalid',
      path: 'sink.failed',
      diverged: 'training.stopped',
    })
    expect(errors.line.message).toContain('bad.jsonl, line 2')
    expect(errors.diverged).toMatchObject({
      code: 'training.stopped',
      cause: 'training.diverged',
      details: { step: 1 },
    })
  })

  it('stops with its last checkpoint when the GPU is taken away', async () => {
    const { error, files } = await page.evaluate(async () => {
      const output = new chatglm.MemoryFiles()
      const channel = new BroadcastChannel('take the GPU away')
      const error = await model
        .finetunePrefix(dataset, {
          ...settings,
          maxSteps: 100_000,
          saveInterval: 1,
          output,
          onProgress: ({ type, ...event }) => {
            if (type === 'checkpoint' && 'step' in event && event.step === 2) channel.postMessage('')
          },
        })
        .then(
          () => undefined,
          (thrown: unknown) => (chatglm.hasCode(thrown, 'training.stopped') ? thrown : undefined),
        )
      const { code, details } = error ?? {}
      const lost = (error?.cause as { code?: string } | undefined)?.code
      return { error: { code, details, lost }, files: await output.list() }
    })
    expect(error).toMatchObject({ code: 'training.stopped', lost: 'device.lost' })
    expect(error.details?.checkpoint).toMatch(/checkpoint-\d+$/)
    expect(files).toContain('model.safetensors')
  })
})
