import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { type BrowserTests, startBrowserTests } from './harness.js'

describe.runIf(hasBrowser)('a model in a real browser', () => {
  let tests: BrowserTests
  beforeAll(async () => {
    tests = await startBrowserTests()
  })
  afterAll(() => tests?.close())

  it('loads', async () => {
    const page = await tests.openPage()
    const text = await page.evaluate(async () => {
      const t0 = performance.now()
      const model = await chatglm.loadModel('/tiny/')
      const t1 = performance.now()
      const g = await model.generate('你好', { temperature: 0, maxTokens: 8 }).result()
      return { ids: g.ids, load: t1 - t0, gen: performance.now() - t1 }
    })
    console.log(text)
    expect(text.ids.length).toBe(8)
  })
})
