import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { DemoPage } from './demo-page.js'
import { traceMainThread } from './main-thread.js'

const STUB = fileURLToPath(new URL('stub-backend.ts', import.meta.url))

describe.runIf(hasBrowser)('answers in the demo page', () => {
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

  it('of great length hold up the page nowhere while they stream', async () => {
    const { total, longest } = await traceMainThread(page, async () => {
      await ask('Write at length')
      await page.locator('.answer .measures').waitFor()
    })
    const characters = (await page.locator('.answer .markdown').textContent())!.length
    console.log(
      `${characters} characters: ${total.toFixed(0)} ms of the main thread, the longest task ${longest.toFixed(0)} ms`,
    )
    expect(await page.locator('.answer .code-block').count()).toBe(20)
    expect(total).toBeGreaterThan(0)
    expect(longest).toBeLessThan(50)
  })

  it('keep the alignment of tables, the numbers of lists, and tasks', async () => {
    await ask('Look\n\n| word | number |\n| --- | --: |\n| one | 1 |\n\n3. third\n\n- [x] done')
    const answer = page.locator('.answer .markdown')
    await page.locator('.answer .measures').waitFor()
    expect(
      await answer
        .locator('td')
        .nth(1)
        .evaluate((cell) => getComputedStyle(cell).textAlign),
    ).toMatch(/right/)
    expect(await answer.locator('ol').getAttribute('start')).toBe('3')
    expect(await answer.getByRole('checkbox').isChecked()).toBe(true)
  })

  it('that are empty say so', async () => {
    await ask('Say nothing')
    await page.getByText('The model ended its answer without a word').waitFor()
  })

  it('of tools come from their code, and the model goes on with what it gave', async () => {
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('button', { name: 'Add the example' }).click()
    await page.keyboard.press('Escape')
    await ask('6 × 7?')
    await page.getByText('Calls calculate').waitFor()
    await page.getByText('calculate answered').waitFor()
    await page.getByText('observation: {"result": 42}').waitFor()
  })

  it('beside each other are given without tools', async () => {
    await page.getByRole('link', { name: 'Compare' }).click()
    await page.getByPlaceholder('A prompt for all').fill('6 × 7?')
    await page.keyboard.press('Enter')
    await page.locator('.side-answer .measures').nth(1).waitFor()
    const answers = await page.locator('.side-answer .markdown').allTextContents()
    expect(answers.map((answer) => answer.trim())).toEqual(Array(2).fill('user: 6 × 7?'))
    await page.getByRole('button', { name: 'New chat' }).click()
  })

  it('of tools are given by hand where they have no code', async () => {
    await editTool('')
    await ask('6 × 7?')
    await page.getByLabel('What does calculate answer?').fill('forty-two')
    await page.getByRole('button', { name: 'Send answer' }).click()
    await page.getByText('Your answer as calculate').waitFor()
    await page.getByText('observation: forty-two').waitFor()
  })

  it('of tools reach neither the network nor what the page stores', async () => {
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

  it('of tools that throw or do not parse are their errors', async () => {
    await editTool(`throw new RangeError('too far')`)
    await ask('Throw')
    await page.getByText('RangeError: too far').first().waitFor()
    await editTool('return (')
    await ask('Parse')
    await page.getByText('SyntaxError').first().waitFor()
  })

  it('of tools are switched off in an import', async () => {
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

  it('are not imported from another file, and the user is told why', async () => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      (async () => {
        await page.locator('.sidebar-row').getByRole('button', { name: 'Conversations' }).click()
        await page.getByRole('menuitem', { name: 'Import' }).click()
      })(),
    ])
    await chooser.setFiles({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{}') })
    await page.getByText('the file has no conversations of this page').waitFor()
  })
})
