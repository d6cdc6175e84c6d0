/** How the demo page is worked: where the focus goes, what keys do, and whether everything can be reached. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { askAndWait, DemoPage } from './demo-page.js'

const STUB = fileURLToPath(new URL('stub-backend.ts', import.meta.url))
const CONVERSATIONS = 12

describe.runIf(hasBrowser)('the controls of the demo page', () => {
  let demo: DemoPage
  let page: Page
  beforeAll(async () => {
    demo = await DemoPage.start({ backend: STUB })
    page = await demo.open()
  })
  afterAll(() => demo?.close())

  const composer = () => page.getByPlaceholder('Message ChatGLM')
  const hasFocus = () => composer().evaluate((element) => element === document.activeElement)

  it('leave the focus where one writes, when what had it is gone', async () => {
    await expect.poll(hasFocus).toBe(true)
    await page.getByRole('button', { name: 'Start with the small model' }).click()
    await expect.poll(hasFocus).toBe(true)
    await page.getByRole('button', { name: 'Who are you?' }).click()
    await expect.poll(hasFocus).toBe(true)
    await page.locator('.answer .measures').waitFor()
    await page.getByRole('button', { name: 'New chat' }).click()
    await expect.poll(hasFocus).toBe(true)
    await composer().fill('Write at length')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Stop (Esc)' }).click()
    await expect.poll(hasFocus).toBe(true)
    await page.getByText('Stopped').waitFor()
  })

  it('begin a new tool with its name', async () => {
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('button', { name: 'Add a tool' }).click()
    await page.locator('dialog').waitFor()
    await page.keyboard.type('look')
    expect(await page.getByRole('textbox', { name: 'Name', exact: true }).inputValue()).toBe('look')
    await page.keyboard.press('Escape')
    await page.locator('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('Escape')
    await page.locator('.panel').waitFor({ state: 'detached' })
  })

  it('suggest what a prefix was trained for, and say how much it weighs', async () => {
    await page.getByRole('button', { name: 'New chat' }).first().click()
    await page.getByRole('button', { name: 'Settings of this chat' }).click()
    await page.getByRole('combobox', { name: 'Prefix' }).selectOption('poem')
    await page.getByRole('slider', { name: 'Strength' }).fill('0.5')
    await page.locator('.header .chip').getByText('poem × 0.5').waitFor()
    expect(await page.locator('.suggestions button').nth(1).textContent()).toContain('类型#裙')
    await page.getByRole('combobox', { name: 'Prefix' }).selectOption('')
    await page.keyboard.press('Escape')
  })

  it('show the whole menu of the last conversation in a long list', async () => {
    for (let number = 0; number < CONVERSATIONS; number++) {
      await page.getByRole('button', { name: 'New chat' }).first().click()
      await askAndWait(page, `Question ${number}`)
    }
    const last = page.locator('.conversation').last()
    await last.hover()
    await last.getByRole('button', { name: /^More/ }).click()
    const bottomOf = async (part: string) => {
      const { y, height } = (await page.locator(part).last().boundingBox())!
      return y + height
    }
    // Its last entry, which is whole: where the frame around it ends depends on the fonts by a part of a pixel.
    const bottom = await bottomOf('.conversations')
    await expect.poll(() => bottomOf('.conversations [role=menuitem]')).toBeLessThanOrEqual(bottom)
    await page.keyboard.press('Escape')
  })

  it('ask before everything is deleted, in a dialog of the size of its question', async () => {
    await page.getByRole('link', { name: 'Storage & privacy' }).click()
    await page.getByRole('button', { name: 'Delete everything' }).click()
    await page.locator('dialog').waitFor()
    const { width } = (await page.locator('dialog').boundingBox())!
    expect(width).toBeLessThan(500)
    await page.keyboard.press('Escape')
  })

  it('start a line with Enter where one touches', async () => {
    const phone = await demo.open('', async (tab) => {
      const session = await tab.context().newCDPSession(tab)
      await session.send('Emulation.setTouchEmulationEnabled', { enabled: true })
      await session.send('Emulation.setDeviceMetricsOverride', {
        width: 390,
        height: 844,
        deviceScaleFactor: 1,
        mobile: true,
      })
    })
    const area = phone.getByPlaceholder('Message ChatGLM')
    await area.fill('one')
    await area.press('Enter')
    await phone.keyboard.type('two')
    expect(await area.inputValue()).toBe('one\ntwo')
    await phone.getByRole('button', { name: 'Send' }).click()
    await phone.getByText('user: one').waitFor()
    await phone.close()
  })
  it('stop an answer while its model is still loading, which is said meanwhile', async () => {
    const tab = await demo.open()
    await tab.getByPlaceholder('Message ChatGLM').fill('Hello')
    await tab.keyboard.press('Enter')
    await tab.locator('.thinking').getByText('Loading Small model').waitFor()
    await tab.getByRole('button', { name: 'Stop (Esc)' }).click()
    await tab.getByText('Stopped').waitFor()
    expect(await tab.locator('.dot-loading').count()).toBe(1)
    await tab.locator('.dot-ready').waitFor()
    await tab.close()
  })
})
