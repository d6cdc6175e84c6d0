import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { estimateMemory } from '../../src/index.js'
import { hasBrowser } from './browser.js'
import { askAndWait, DemoPage, limitAnswers, violations } from './demo-page.js'
import { TestServer } from './server.js'

describe.runIf(hasBrowser)('the demo page', () => {
  let demo: DemoPage
  let page: Page
  beforeAll(async () => {
    demo = await DemoPage.start()
    page = await demo.open()
  })
  afterAll(() => demo?.close())

  it('is small before a model is chosen', async () => {
    const scripts = await page.evaluate(async () => {
      const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
      const fetched = entries.filter(({ initiatorType }) =>
        ['script', 'link', 'other'].includes(initiatorType),
      )
      const names = new Set(fetched.map(({ name }) => name).filter((name) => name.endsWith('.js')))
      return Promise.all([...names].map(async (name) => (await fetch(name)).text()))
    })
    const bytes = scripts.reduce((sum, script) => sum + gzipSync(script).byteLength, 0)
    console.log(`${scripts.length} scripts, ${(bytes / 1000).toFixed(0)} kB compressed`)
    expect(bytes).toBeGreaterThan(10_000)
    expect(bytes).toBeLessThan(260_000)
  })

  it('answers after one click, streams, holds up the page nowhere, and stops', async () => {
    const startUp = await page.evaluate(
      () =>
        performance.getEntriesByType('paint').find(({ name }) => name === 'first-contentful-paint')
          ?.startTime,
    )
    // The aim is 1.5 s; machines that run tests are shared, so that only what no load explains is an error.
    expect(startUp).toBeLessThan(15_000)
    await page.evaluate(() => {
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longestTask = Math.max(longestTask, duration)
      })
      let longestTask = 0
      observer.observe({ type: 'longtask' })
      Object.assign(window, {
        endObservation() {
          observer.disconnect()
          return longestTask
        },
      })
    })
    await page.getByRole('button', { name: 'Who are you?' }).click()
    const answer = page.locator('.answer .markdown')
    await answer.waitFor()
    const first = (await answer.textContent()) ?? ''
    await expect
      .poll(async () => (await answer.textContent())?.length, { timeout: 30_000 })
      .toBeGreaterThan(first.length)
    await page.keyboard.press('Escape')
    await page.getByText('Stopped').waitFor()
    const longest = await page.evaluate('endObservation()')
    console.log(`first paint after ${startUp?.toFixed(0)} ms; longest task while streaming: ${longest} ms`)
    expect(longest).toBeLessThan(500)
    expect(await page.locator('.measures').textContent()).toMatch(/\d+ tokens · .* tokens\/s · first after/)
    expect(await page.locator('.chat-note').textContent()).toContain('The small model knows little')
  })

  it('keeps other answers and questions as branches', async () => {
    await limitAnswers(page, 4)
    await page.getByRole('button', { name: 'Answer again' }).click()
    await page.locator('.answer .branches').getByText('2/2').waitFor()
    await page.locator('.answer .measures').waitFor()
    await page.locator('.answer').getByRole('button', { name: 'Previous version' }).click()
    await page.locator('.answer .branches').getByText('1/2').waitFor()
    expect(await page.getByText('Stopped').count()).toBe(1)

    await page.locator('.question').hover()
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.locator('.question-editor textarea').fill('另一个问题')
    await page.keyboard.press('Enter')
    await page.locator('.question .branches').getByText('2/2').waitFor()
    await page.locator('.answer .measures').waitFor()
    expect(await page.locator('.answer .branches').count()).toBe(0)
    await page.locator('.question').getByRole('button', { name: 'Previous version' }).click()
    // What was written last below a question is shown with it.
    await page.locator('.answer .branches').getByText('2/2').waitFor()
  })

  it('takes a prefix that is dropped on it, and switches it off again', async () => {
    const bytes = await readFile('models/tiny/prefixes/poem/model.safetensors')
    const transfer = await page.evaluateHandle((base64) => {
      const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([data], 'verses.safetensors'))
      return transfer
    }, bytes.toString('base64'))
    await page.dispatchEvent('.main', 'dragover', { dataTransfer: transfer })
    await page.locator('.drop-zone').waitFor()
    await page.dispatchEvent('.main', 'drop', { dataTransfer: transfer })
    await page.locator('.header .chip').getByText('verses').waitFor()
    await askAndWait(page, '你好')
    expect(await page.locator('.measures').last().textContent()).toContain('verses')
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('slider', { name: 'Strength' }).fill('0.5')
    await page.keyboard.press('Escape')
    await askAndWait(page, '你好')
    expect(await page.locator('.measures').last().textContent()).toContain('verses × 0.5')
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('combobox', { name: 'Prefix' }).selectOption('')
    await page.keyboard.press('Escape')
    await askAndWait(page, '你好')
    expect(await page.locator('.measures').last().textContent()).not.toContain('verses')
  })

  it('compares two prefixes on one prompt', async () => {
    await page.getByRole('link', { name: 'Compare' }).click()
    await page.getByRole('combobox', { name: 'Right' }).selectOption('verses')
    await page.getByPlaceholder('A prompt for all').fill('你好')
    await page.keyboard.press('Enter')
    await page.locator('.side-answer .measures').nth(1).waitFor()
    expect(await page.locator('.side-answer h2').allTextContents()).toEqual(['No prefix', 'verses'])
    const [without, withPrefix] = await page.locator('.side-answer .markdown').allTextContents()
    expect(without).not.toBe(withPrefix)
  })

  it('shows after one click what the prefixes of the small model do', async () => {
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByRole('button', { name: 'One question, three answers' }).click()
    const round = page.locator('.round').last()
    await round.locator('.side-answer .measures').nth(2).waitFor()
    expect(await round.locator('.side-answer h2').allTextContents()).toEqual(['No prefix', 'poem', 'json'])
    const answers = await round.locator('.side-answer .markdown').allTextContents()
    expect(new Set(answers).size).toBe(3)
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Compare two' }).click()
    expect(await page.getByRole('combobox').count()).toBe(2)
  })

  it('has an example of a tool, which the small model calls', async () => {
    const settings = page.getByRole('button', { name: 'Settings of this chat' })
    const temperature = page.getByRole('slider', { name: 'Temperature' })
    await page.getByRole('button', { name: 'New chat' }).click()
    await limitAnswers(page, 64)
    await settings.click()
    await temperature.fill('0')
    await page.getByRole('button', { name: 'Add the example' }).click()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'What is 347 * 26?' }).click()
    await page.locator('.observation').getByText('9022').waitFor()
    await page.locator('.answer .measures').nth(1).waitFor()
    expect(await page.locator('.answer').last().textContent()).toContain('347 * 26 = 9022')
    await settings.click()
    await page.getByRole('button', { name: 'Delete: calculate' }).click()
    await temperature.fill('0.8')
    await page.keyboard.press('Escape')
    await limitAnswers(page, 4)
  })

  it('offers to go on when the GPU is taken away in the middle of an answer', async () => {
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByPlaceholder('Message ChatGLM').fill('你好')
    await page.keyboard.press('Enter')
    await page.locator('.thinking').waitFor()
    await page.evaluate(() => new BroadcastChannel('take the GPU away').postMessage(''))
    await page.getByText('The GPU was taken away').first().waitFor()
    await page.getByRole('button', { name: 'Load again and go on' }).click()
    await page.locator('.dot-ready').waitFor()
    await page.getByRole('button', { name: 'Answer again' }).click()
    await page.locator('.answer .measures').waitFor()
    expect(await page.locator('.notice').count()).toBe(0)
    // Chromium says itself that a device was lost.
    demo.complaints.length = 0
  })

  it('lets no request out but to the server of a download, and stores what comes from there', async () => {
    const server = await TestServer.start()
    try {
      server.serveFolder('/tiny', 'models/tiny')
      const reach = (url: string) =>
        fetch(url).then(
          () => true,
          () => false,
        )
      const modelWorker = () => page.workers().find((one) => one.url().includes('/worker-'))
      await expect.poll(modelWorker, { timeout: 30_000 }).toBeDefined()
      const worker = modelWorker()!
      expect(await worker.evaluate(reach, `${server.url}/tiny/config.json`)).toBe(false)
      expect(await page.evaluate(reach, `${server.url}/tiny/config.json`)).toBe(false)
      expect(server.requests).toEqual([])
      demo.complaints.length = 0

      await page.getByRole('button', { name: 'Small model' }).click()
      await page.getByLabel('Where from').fill(`${server.url}/tiny/`)
      await page.getByRole('button', { name: 'What will it need?' }).click()
      const { total } = estimateMemory(JSON.parse(await readFile('models/tiny/config.json', 'utf8')))
      await page.getByText(`needs about ${(total / 1e6).toFixed(0)} MB of GPU memory`).waitFor()
      await page.getByRole('button', { name: 'Download' }).click()
      const item = page.locator('.item', { hasText: `${server.url}/tiny/` })
      await item.getByRole('button', { name: 'Verify: tiny' }).click()
      await page.getByText('Every file is as it was published.').waitFor()
      expect(await violations(page)).toEqual([])
      await item.getByRole('button', { name: 'Use' }).click()
      await page.locator('.model-button .dot-ready').waitFor()
      expect(await page.locator('.kernels summary').textContent()).toMatch(/^float32, simple, /)
      await page.locator('.kernels summary').click()
      await page
        .locator('.kernels dd', { hasText: 'float32' })
        .getByText(/software adapter/)
        .waitFor()
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
      expect(await page.locator('.model-button').textContent()).toBe('tiny')
    } finally {
      await server.close()
    }
  })

  it('reads a model from a folder of the disk', async () => {
    // A program cannot answer the dialog for a directory handle; other browsers have none.
    await page.evaluate(() => Reflect.deleteProperty(globalThis, 'showDirectoryPicker'))
    await page.locator('.model-button').click()
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Choose a folder' }).click(),
    ])
    await chooser.setFiles('models/tiny')
    await page.locator('.model-button .dot-ready').waitFor()
    await page.keyboard.press('Escape')
    await askAndWait(page, '你好')
  })

  it('works without a network after one visit', async () => {
    await demo.browser.context.setOffline(true)
    await page.reload()
    await page.getByRole('button', { name: 'New chat' }).click()
    await askAndWait(page, '你好')
    await demo.browser.context.setOffline(false)
  })

  it.each(['chat', 'compare', 'finetune', 'bench', 'storage'])('is accessible: %s', async (view) => {
    await page.goto(`${demo.url}#/${view}`)
    await page.locator('h1').waitFor({ state: 'attached' })
    if (view === 'chat') await page.getByRole('button', { name: 'Settings of this chat' }).click()
    expect(await violations(page)).toEqual([])
  })

  it('measures a model, and exports what npm run bench writes', async () => {
    await page.goto(`${demo.url}#/bench`)
    await page.getByRole('radio', { name: 'Whole model' }).check()
    await page.getByRole('button', { name: 'Start' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Export JSON' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('bench-model.json')
    const report = JSON.parse(await readFile(await download.path(), 'utf8'))
    expect(report).toMatchObject({
      kind: 'model',
      version: 1,
      environment: { adapter: 'google swiftshader' },
    })
    expect(report.decode[0].seconds.median).toBeGreaterThan(0)
    expect(await page.locator('.chart canvas').count()).toBe(2)
  })

  it('is an app that can be installed', async () => {
    const manifest = await page.evaluate(async () => {
      const { href } = document.querySelector<HTMLLinkElement>('link[rel=manifest]')!
      return (await fetch(href)).json()
    })
    expect(manifest).toMatchObject({ display: 'standalone', start_url: expect.any(String) })
    for (const { src } of manifest.icons) {
      expect(await page.evaluate(async (icon) => (await fetch(icon)).ok, src)).toBe(true)
    }
  })

  it('speaks Chinese, and looks dark, when told so', async () => {
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('button', { name: '新对话' }).click()
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.getByRole('heading', { name: '一个语言模型，就在这个页面里' }).waitFor()
    await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe('dark')
    expect(await violations(page)).toEqual([])
  })

  it('deletes everything that it stored', async () => {
    await page.goto(`${demo.url}#/storage`)
    await page.getByRole('button', { name: '全部删除' }).click()
    await page.locator('dialog').getByRole('button', { name: '全部删除' }).click()
    await page.getByText('已全部删除。').waitFor()
    const left = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      const store = await root.getDirectoryHandle('chatglm-webgpu')
      const items: string[] = []
      for await (const [name] of store.entries()) items.push(name)
      return { items, caches: await caches.keys(), choices: localStorage.length }
    })
    expect(left).toEqual({ items: [], caches: [], choices: 0 })
    expect(await page.locator('.conversation').count()).toBe(0)
  })

  it('broke no policy and no script on the way', () => {
    expect(demo.complaints).toEqual([])
  })
})
