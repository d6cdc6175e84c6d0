import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

describe.runIf(hasBrowser)('a model in a worker', () => {
  let tests: BrowserTests
  beforeAll(async () => {
    tests = await startBrowserTests()
  })
  afterAll(() => tests?.close())

  it('loads', async () => {
    const page = await tests.openPage()
    page.on('console', (m) => console.log(m.text()))
    page.on('pageerror', (m) => console.log(m))
    const text = await page.evaluate(async () => {
      const t0 = performance.now()
      let progress = 0
      const model = await chatglm.loadModelInWorker('/tiny/', { onProgress: (p) => { progress = p.doneBytes } })
      const t1 = performance.now()
      const pieces = []
      for await (const p of model.generate('你好', { temperature: 0, maxTokens: 8 })) pieces.push(p)
      const g = await model.generate('你好', { temperature: 0, maxTokens: 8 }).result()
      const error = await model.generate([]).result().catch((e) => [e.name, e instanceof chatglm.EmptyTokensError, e.message])
      return { ids: g.ids, load: t1 - t0, gen: performance.now() - t1, progress, pieces, memory: model.memory, stats: model.stats, adapter: model.adapter, error }
    })
    console.log(text)
    expect(text.ids.length).toBe(8)
  })
})
