/** A model in a Web Worker of a real browser, on the software adapter. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadModel } from '../../src/index.js'
import { randomModel } from '../random-model.js'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

const TINY = fileURLToPath(new URL('../../models/tiny', import.meta.url))
const GREEDY = { temperature: 0, maxTokens: 12, stopIds: [] }

describe.runIf(hasBrowser)('a model in a worker', { timeout: 300_000 }, () => {
  let tests: BrowserTests
  let page: Page

  beforeAll(async () => {
    tests = await startBrowserTests()
    page = await tests.openPage()
  }, 120_000)
  afterAll(() => tests?.close())

  it('is loaded from a chosen folder, tells its progress, and gives the ids that Node gives', async () => {
    await page.setInputFiles('#folder', TINY)
    const inBrowser = await page.evaluate(async (options) => {
      const { files } = document.querySelector<HTMLInputElement>('#folder')!
      const seen: number[] = []
      globalThis.model = await chatglm.loadModelInWorker(files!, {
        worker: losableWorker,
        activations: 'float',
        onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes),
      })
      const pieces: string[] = []
      const stream = model.generate([{ role: 'user', content: '你好' }], options)
      for await (const { text } of stream) pieces.push(text)
      const { ids, text } = await stream.result()
      const { memory, stats, config, adapter } = model
      return { ids, text, pieces, progress: seen.at(-1), memory, stats, config, adapter }
    }, GREEDY)
    const model = await loadModel(TINY, { device: 'software', activations: 'float' })
    const { ids, text } = await model.generate([{ role: 'user', content: '你好' }], GREEDY).result()
    const { config, memory } = model
    model.dispose()
    expect(inBrowser).toMatchObject({ ids, text, config, progress: 1, stats: { decodeTokens: 11 } })
    expect(inBrowser.pieces.join('')).toBe(text)
    expect(inBrowser.memory.weights).toBe(memory.weights)
    expect(inBrowser.adapter.architecture).toBe('swiftshader')
  })

  it('chats, and gives the reply with its messages', async () => {
    const { text, reply } = await page.evaluate(async () => {
      const stream = model.chat([{ role: 'user', content: '你好' }], { maxTokens: 6, seed: 3 })
      let text = ''
      for await (const delta of stream) text += delta.text
      return { text, reply: await stream.result() }
    })
    expect(reply.messages[0]).toMatchObject({ role: 'assistant' })
    expect(reply.last).toEqual(reply.segments.at(-1))
    expect(text).not.toBe('')
  })

  it('loads prefixes, which change the answer until they are unloaded', async () => {
    const result = await page.evaluate(async () => {
      const prefix = await model.loadPrefix('/tiny/prefixes/poem/')
      const { prefixes } = model.memory
      const first = async (chosen?: typeof prefix) =>
        (await model.logits([5, 6], chosen ? { prefix: chosen } : {})).subarray(0, 8).join()
      const [without, within] = [await first(), await first(prefix)]
      await model.unloadPrefix(prefix)
      const after = await first(prefix).catch((error: Error) =>
        chatglm.hasCode(error, 'input.prefix-unloaded'),
      )
      return { ...prefix, differs: without !== within, after, prefixes, freed: model.memory.prefixes }
    })
    expect(result).toMatchObject({ length: expect.any(Number), differs: true, after: true, freed: 0 })
    expect(result.prefixes).toBeGreaterThan(0)
  })

  it('throws errors of their own kinds, with code, message and details', async () => {
    const errors = await page.evaluate(async () => {
      const caught = async (work: () => Promise<unknown>) => {
        const error = await work().then(
          () => new Error('nothing was thrown'),
          (thrown: Error) => thrown,
        )
        const { code, details, message } = error as InstanceType<typeof chatglm.ChatGLMError>
        return { code, details, message, isInput: error instanceof chatglm.InputError }
      }
      return {
        empty: await caught(() => model.generate([]).result()),
        overflow: await caught(() => model.generate(Array(9000).fill(5)).result()),
        option: await caught(() => model.chat([{ role: 'user', content: 'a' }], { topP: 2 }).result()),
        role: await caught(() => model.chat([{ role: 'nobody' as 'user', content: 'a' }]).result()),
        token: await caught(() => model.logits([-1])),
        prefix: await caught(() => model.loadPrefix('/tiny/')),
        missing: await caught(() => chatglm.loadModelInWorker('/nowhere/')),
        adapter: await caught(() => chatglm.loadModelInWorker('/tiny/', { device: {} as GPUAdapter })),
      }
    })
    const codes = Object.fromEntries(Object.entries(errors).map(([call, { code }]) => [call, code]))
    expect(codes).toEqual({
      empty: 'input.tokens-empty',
      overflow: 'input.context-overflow',
      option: 'option.invalid',
      role: 'input.role-unknown',
      token: 'input.token-invalid',
      prefix: 'checkpoint.prefix-invalid',
      missing: 'source.not-found',
      adapter: 'option.invalid',
    })
    expect(errors.overflow.message).toContain('9000 tokens')
    expect(errors.role).toMatchObject({ details: { index: 0 }, isInput: true })
  })

  it('stops a few tokens ahead of a reader that does not read on, and at once for one that leaves', async () => {
    const { decodeTokens, next } = await page.evaluate(async () => {
      for await (const _ of model.generate('你好', { maxTokens: 500, stopIds: [] })) {
        await new Promise((resolve) => setTimeout(resolve, 1500))
        break
      }
      const { decodeTokens } = model.stats
      const { ids } = await model.generate('你好', { maxTokens: 2, stopIds: [] }).result()
      return { decodeTokens, next: ids.length }
    })
    expect(decodeTokens).toBeGreaterThan(0)
    // Four that the worker fetched, four that wait for it, three steps under way, and the one on its way.
    expect(decodeTokens).toBeLessThanOrEqual(12)
    expect(next).toBe(2)
  })

  it('ends a call with the reason of its signal, and goes on with the next', async () => {
    const result = await page.evaluate(async () => {
      const abort = new AbortController()
      const reason = new Error('enough')
      const tokens: string[] = []
      const run = async () => {
        for await (const { text } of model.generate('你好', { stopIds: [], signal: abort.signal })) {
          tokens.push(text)
          if (tokens.length === 3) abort.abort(reason)
        }
      }
      const thrown = await run().catch((error: unknown) => error)
      const already = await model.logits([5], { signal: abort.signal }).catch((error: unknown) => error)
      const { ids } = await model.generate('你好', { maxTokens: 2, stopIds: [] }).result()
      return {
        isReason: thrown === reason,
        alreadyIs: already === reason,
        seen: tokens.length,
        next: ids.length,
      }
    })
    expect(result).toMatchObject({ isReason: true, alreadyIs: true, next: 2 })
    expect(result.seen).toBeLessThanOrEqual(12)
  })

  it('reports the loss of the GPU, and can be loaded again: a float16 checkpoint, quantized on the way', async () => {
    const checkpoint = await randomModel()
    for (const path of await checkpoint.list()) {
      tests.server.serveBytes(`/f16/${path}`, await checkpoint.read(path, 0, await checkpoint.size(path)))
    }
    const result = await page.evaluate(async () => {
      const running = model.generate('你好', { stopIds: [] }).result()
      const failing = running.catch((error: unknown) => chatglm.hasCode(error, 'device.lost'))
      setTimeout(() => new BroadcastChannel('take the GPU away').postMessage(''), 300)
      const [ended, lost] = await Promise.all([failing, model.lost])
      const after = await model.logits([5]).catch(({ code }: { code: string }) => code)
      model.dispose()
      const disposed = await model.logits([5]).catch(({ code }: { code: string }) => code)
      globalThis.model = await chatglm.loadModelInWorker('/f16/', {
        worker: losableWorker,
        quantization: { bits: 4, groupSize: 32 },
      })
      const { ids } = await model.generate([1, 2, 3], { maxTokens: 3, stopIds: [] }).result()
      return {
        ended,
        lost: lost instanceof chatglm.DeviceError,
        after,
        disposed,
        ids: ids.length,
        memory: model.memory,
      }
    })
    expect(result).toMatchObject({
      ended: true,
      lost: true,
      after: 'device.lost',
      disposed: 'device.disposed',
      ids: 3,
    })
    const weights = await checkpoint.size('model.safetensors')
    expect(result.memory.weights).toBeLessThan(weights / 2)
  })
})
