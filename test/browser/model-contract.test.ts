/** `LocalModel` and `WorkerModel` are the same to who calls them: one body of tests, two models. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalModel, loadModel } from '../../src/index.js'
import { CONTRACT } from '../model-contract.js'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

const TINY = fileURLToPath(new URL('../../models/tiny', import.meta.url))

/** What cannot be equal by chance; all else only has to be the same from both. */
const EXPECTED: Readonly<Record<string, object>> = {
  'tells what it is, and what it takes': { load: { running: 0, waiting: 0 }, hasWeights: true },
  'chats: pieces, then the reply': { decoded: true },
  'answers several at once, each by its index': { indices: [0, 1] },
  'gives logits and scores': { logits: true, ids: [5, 6] },
  'takes a prefix until it is unloaded': { name: 'string', failure: 'input.prefix-unloaded' },
  'refuses wrong options and prompts by code': {
    temperature: 'option.invalid',
    prompt: 'input.token-invalid',
    messages: 'input.messages-empty',
  },
  'ends with the reason of the signal, and by leaving a loop': {
    aborted: 'TypeError',
    load: { running: 0, waiting: 0 },
  },
  'is gone after dispose': {
    chat: 'device.disposed',
    logits: 'device.disposed',
    prefix: 'device.disposed',
  },
}

describe.runIf(hasBrowser)('a model, here and in a worker', { timeout: 300_000 }, () => {
  let tests: BrowserTests
  let page: Page
  let local: LocalModel

  beforeAll(async () => {
    const options = { device: 'software', activations: 'float' } as const
    const inPage = async () => {
      tests = await startBrowserTests()
      page = await tests.openPage()
      await page.evaluate(
        async (options) => {
          globalThis.model = await chatglm.loadModelInWorker('/tiny/', options)
        },
        { ...options, device: 'auto' } as const,
      )
    }
    ;[local] = await Promise.all([loadModel(TINY, options), inPage()])
  }, 120_000)
  afterAll(async () => {
    local?.dispose()
    await tests?.close()
  })

  it.each(Object.keys(CONTRACT))('%s', async (name) => {
    const here = await CONTRACT[name](local, { poem: `${TINY}/prefixes/poem` })
    const inWorker = await page.evaluate(
      (name) => contract[name](model, { poem: '/tiny/prefixes/poem/' }),
      name,
    )
    expect(inWorker).toEqual(here)
    expect(here).toMatchObject(EXPECTED[name] ?? {})
  })
})
