/** What the page says when something does not work here: each with a message of its own that says what to do. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { askAndWait, DemoPage, limitAnswers, violations } from './demo-page.js'

/** Runs a script in every worker that the page starts, before it gets its first message. */
async function inWorkers(page: Page, script: string): Promise<void> {
  await page.addInitScript((code) => {
    const { Worker: Original } = globalThis
    globalThis.Worker = class extends Original {
      constructor(url: string | URL, options?: WorkerOptions) {
        // Imports come first, but messages only when the whole script has run.
        const text = `import ${JSON.stringify(new URL(url, location.href).href)}\n${code}`
        super(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })), options)
      }
    }
  }, script)
}

/** Every allocation fails as on a GPU that is full. */
const FULL_GPU = `
const { pushErrorScope, popErrorScope } = GPUDevice.prototype
const scopes = new WeakMap()
GPUDevice.prototype.pushErrorScope = function (filter) {
  scopes.set(this, [...(scopes.get(this) ?? []), filter])
  pushErrorScope.call(this, filter)
}
GPUDevice.prototype.popErrorScope = async function () {
  const error = await popErrorScope.call(this)
  return scopes.get(this)?.pop() === 'out-of-memory' ? new GPUOutOfMemoryError('no room') : error
}`

/** The disk has a few bytes left. */
const FULL_DISK = `navigator.storage.estimate = async () => ({ quota: 1000, usage: 900 })`

describe.runIf(hasBrowser)('the demo page says what to do', { timeout: 120_000 }, () => {
  let demo: DemoPage
  beforeAll(async () => {
    demo = await DemoPage.start()
    // The service worker keeps the page for the tabs to come.
    const page = await demo.open()
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await page.close()
  })
  afterAll(() => demo?.close())

  /** The notice of a title, which must have nothing that axe-core complains about. */
  const notice = async (page: Page, title: string): Promise<string> => {
    const shown = page.locator('.notice', { hasText: title })
    await shown.waitFor()
    expect(await violations(page)).toEqual([])
    return (await shown.locator('.notice-body > p').textContent()) ?? ''
  }
  const startSmallModel = (page: Page) =>
    page.getByRole('button', { name: 'Start with the small model' }).click()
  const dropPrefix = async (page: Page) => {
    const bytes = await readFile('models/tiny/prefixes/poem/model.safetensors')
    const transfer = await page.evaluateHandle((base64) => {
      const data = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
      const transfer = new DataTransfer()
      transfer.items.add(new File([data], 'verses.safetensors'))
      return transfer
    }, bytes.toString('base64'))
    await page.dispatchEvent('.main', 'drop', { dataTransfer: transfer })
  }

  it('without WebGPU: which browsers have it, and answers on WASM where that is wanted', async () => {
    const page = await demo.open('', (tab) =>
      tab.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu')),
    )
    expect(await notice(page, 'This browser has no WebGPU')).toContain(
      'current Chrome or Edge (113 or later)',
    )
    await page.getByRole('button', { name: 'Run the small model on WASM (slow)' }).click()
    await page.locator('.model-button', { hasText: /small/i }).waitFor()
    await limitAnswers(page, 4)
    await askAndWait(page, '你好')
    expect(await page.locator('.answer').textContent()).not.toBe('')
    expect(await page.locator('.notice').count()).toBe(0)
    await page.close()
  })

  it('without a suitable adapter: how to turn the GPU on', async () => {
    const page = await demo.open('', async (tab) => {
      const none = 'GPU.prototype.requestAdapter = async () => null'
      await tab.addInitScript(none)
      await inWorkers(tab, none)
    })
    expect(await notice(page, 'No GPU was found')).toContain('Turn on graphics acceleration')
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await startSmallModel(page)
    expect(await notice(page, 'No GPU was found')).toContain('restart the browser')
    expect(await page.locator('.notice').count()).toBe(1)
    expect(await page.locator('.model-button').textContent()).toBe('Choose a model')
    await page.close()
  })

  it('with too little GPU memory: a shorter context, fewer bits, other programs', async () => {
    const page = await demo.open('', (tab) => inWorkers(tab, FULL_GPU))
    await startSmallModel(page)
    expect(await notice(page, 'The GPU has too little memory')).toContain('Choose a shorter context')
    await page.close()
  })

  it('with too small buffers for a model: before it is downloaded', async () => {
    const page = await demo.open('', (tab) =>
      tab.addInitScript(() => {
        Object.defineProperty(GPUSupportedLimits.prototype, 'maxStorageBufferBindingSize', { value: 1000 })
      }),
    )
    await page.getByRole('button', { name: 'Choose a model' }).click()
    await page.getByLabel('Where from').fill(`${demo.url}models/tiny/`)
    await page.getByRole('button', { name: 'What will it need?' }).click()
    await page
      .getByText('Its largest buffer is more than this GPU offers: choose a shorter context.')
      .waitFor()
    await page.close()
  })

  it('with a full disk: what to delete, and that what came stays', async () => {
    const page = await demo.open('', (tab) => inWorkers(tab, FULL_DISK))
    await dropPrefix(page)
    expect(await notice(page, 'There is no more space')).toContain('Delete stored models')
    expect(await page.locator('.notice-details').textContent()).toContain('store.quota')
    await page.close()
  })

  it('in a private window: that nothing is kept, and lets one chat with a prefix and train one all the same', async () => {
    const page = await demo.open('', (tab) =>
      tab.addInitScript(() => {
        const refuse = () => {
          throw new DOMException('not in a private window', 'SecurityError')
        }
        StorageManager.prototype.getDirectory = async () => refuse()
        IDBFactory.prototype.open = refuse
      }),
    )
    expect(await notice(page, 'This window keeps nothing')).toContain('Export what you want to keep')
    await dropPrefix(page)
    await page.getByText('so the prefix lasts until it is closed').waitFor()
    await limitAnswers(page, 4)
    await askAndWait(page, '你好')
    expect(await page.locator('.measures').textContent()).toContain('verses')
    await page.goto(`${demo.url}#/storage`)
    await page.getByText('not kept in this window').first().waitFor()

    await page.goto(`${demo.url}#/finetune`)
    await page.getByRole('button', { name: 'Use the example' }).click()
    await page.locator('.sample').waitFor()
    await page.getByLabel('Steps', { exact: true }).fill('1')
    await page.getByRole('button', { name: 'Train' }).click()
    await page.getByText('save the file to keep it').waitFor({ timeout: 60_000 })
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save the prefix' }).click(),
    ])
    expect((await readFile(await download.path())).byteLength).toBeGreaterThan(1000)
    await page.getByRole('button', { name: 'Chat with it' }).click()
    await page.locator('.header .chip').getByText('ads-train').waitFor()
    await page.close()
  })

  it('in a background tab: that it may have been slowed down, and that the GPU is taken from such tabs first', async () => {
    const page = await demo.open()
    const setHidden = (hidden: boolean) =>
      page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    await page.getByPlaceholder('Message ChatGLM').fill('你好')
    await page.keyboard.press('Enter')
    // While the model is loaded: the answer itself may take no longer than what is done here.
    await page.locator('.thinking').waitFor()
    await setHidden(true)
    await setHidden(false)
    await page
      .getByText('While this tab was in the background, the browser may have slowed it down.')
      .waitFor()
    await setHidden(true)
    await page.locator('.answer .markdown').waitFor()
    await page.evaluate(() => new BroadcastChannel('take the GPU away').postMessage(''))
    expect(await notice(page, 'The GPU was taken away')).toContain(
      'browsers take the GPU from such tabs first',
    )
    await page.close()
  })
})
