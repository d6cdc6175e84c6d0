import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { DemoPage } from './demo-page.js'

const STUB = fileURLToPath(new URL('stub-backend.ts', import.meta.url))

describe.runIf(hasBrowser)('tools in the demo page', () => {
  let demo: DemoPage
  let page: Page
  beforeAll(async () => {
    demo = await DemoPage.start({ backend: STUB })
    page = await demo.open()
  })
  afterAll(() => demo?.close())

  const editTool = async (body: string) => {
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('button', { name: 'Edit tool: calculate' }).click()
    await page.getByLabel('JavaScript').fill(body)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.keyboard.press('Escape')
  }
  const ask = async (question: string) => {
    await page.getByRole('button', { name: 'New chat' }).click()
    await page.getByPlaceholder('Message ChatGLM').fill(question)
    await page.keyboard.press('Enter')
  }

  it('run their code, and the model goes on with what it gave', async () => {
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('button', { name: 'Add the example' }).click()
    await page.keyboard.press('Escape')
    await ask('6 × 7?')
    await page.getByText('Calls calculate').waitFor()
    await page.getByText('calculate answered').waitFor()
    await page.getByText('observation: 42').waitFor()
  })

  it('are answered by hand where they have no code', async () => {
    await editTool('')
    await ask('6 × 7?')
    await page.getByLabel('What does calculate answer?').fill('forty-two')
    await page.getByRole('button', { name: 'Send answer' }).click()
    await page.getByText('Your answer as calculate').waitFor()
    await page.getByText('observation: forty-two').waitFor()
  })

  it('reach neither the network nor what the page stores', async () => {
    await editTool(`
      const tries = {
        page: () => fetch(${JSON.stringify(demo.url)}),
        other: () => fetch('https://example.com'),
        script: () => importScripts(${JSON.stringify(`${demo.url}sw.js`)}),
        socket: () => new Promise((resolve, reject) => {
          const socket = new WebSocket('wss://example.com')
          socket.onopen = resolve
          socket.onerror = reject
        }),
        database: () => new Promise((resolve, reject) => {
          const request = indexedDB.open('chatglm-webgpu')
          request.onsuccess = resolve
          request.onerror = reject
        }),
        files: () => navigator.storage.getDirectory(),
      }
      const reached = []
      for (const [name, attempt] of Object.entries(tries)) {
        try { await attempt(); reached.push(name) } catch {}
      }
      return reached`)
    await ask('Try')
    await page.getByText('observation: []').waitFor()
  })

  it('that throw or do not parse are answered with their error', async () => {
    await editTool(`throw new RangeError('too far')`)
    await ask('Throw')
    await page.getByText('RangeError: too far').first().waitFor()
    await editTool('return (')
    await ask('Parse')
    await page.getByText('SyntaxError').first().waitFor()
  })

  it('come with an import switched off', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      (async () => {
        await page.locator('.sidebar-row').getByRole('button', { name: 'Conversations' }).click()
        await page.getByRole('menuitem', { name: 'Export all' }).click()
      })(),
    ])
    const before = await page.locator('.conversation').count()
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      (async () => {
        await page.locator('.sidebar-row').getByRole('button', { name: 'Conversations' }).click()
        await page.getByRole('menuitem', { name: 'Import' }).click()
      })(),
    ])
    await chooser.setFiles(await download.path())
    await page.getByText('Their tools are switched off').waitFor()
    expect(await page.locator('.conversation').count()).toBe(2 * before)
  })
})
