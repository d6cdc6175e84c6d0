/** The page of fine-tuning, over the small model: from a file to a prefix to chat with. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from './browser.js'
import { DemoPage, limitAnswers, violations } from './demo-page.js'

/** The first numbers of the step and of all steps in the line below the progress. */
const STEP = /step (\d+) of (\d+)/

describe.runIf(hasBrowser)('fine-tuning in the demo page', { timeout: 180_000 }, () => {
  let demo: DemoPage
  let page: Page
  beforeAll(async () => {
    demo = await DemoPage.start()
    page = await demo.open('#/finetune')
  })
  afterAll(() => demo?.close())

  const chooseFile = async (button: string, name: string, text: string) => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: button }).click(),
    ])
    await chooser.setFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) })
  }
  const fill = async (label: string, value: string) => {
    await page.getByLabel(label, { exact: true }).fill(value)
    await page.keyboard.press('Tab')
  }

  it('shows what is learnt of published data, and what the training will take', async () => {
    await page.getByRole('button', { name: 'Use the example' }).click()
    await page.getByText('prompt and response · 32 samples').waitFor()
    const [first] = (await readFile('examples/ads-train.json', 'utf8')).split('\n')
    const { content, summary } = JSON.parse(first) as { content: string; summary: string }
    expect(await page.locator('.sample-text').textContent()).toContain(content)
    expect(await page.locator('.sample mark').textContent()).toContain(`${summary}</s>`)
    await page.getByRole('button', { name: 'Next sample' }).click()
    await page.getByText('Sample 2 of 32').waitFor()
    const memory = page.locator('.finetune-memory summary')
    await memory.waitFor()
    const before = await memory.textContent()
    await fill('Rows of the prefix', '64')
    await expect.poll(() => memory.textContent().catch(() => before), { timeout: 30_000 }).not.toBe(before)
    await fill('Tokens of a response', '4')
    await page.getByText('32 cut to the limit').waitFor()
  })

  it('says which line of a file is wrong', async () => {
    await chooseFile('Another file', 'bad.jsonl', '{"prompt": "a", "response": "b"}\n{"prompt": 1}')
    await page.getByText('bad.jsonl, line 2').waitFor()
    expect(await page.locator('.sample').count()).toBe(0)
  })

  it('takes the preset for the format of the data', async () => {
    await page.getByLabel('Preset').selectOption('ptuning')
    const conversation = {
      conversations: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello there' },
      ],
    }
    await chooseFile('Another file', 'talk.json', JSON.stringify([conversation]))
    await page.getByText('conversations · one sample').waitFor()
    expect(await page.getByLabel('Preset').inputValue()).toBe('ptuning-multiturn')
    expect(await page.locator('.sample mark').allTextContents()).toEqual([
      expect.stringContaining('Hello there'),
    ])
    await page.getByLabel('Preset').selectOption('trial')
    await chooseFile('Another file', 'ads-train.json', await readFile('examples/ads-train.json', 'utf8'))
    await page.getByText('prompt and response · 32 samples').waitFor()
    expect(await page.getByLabel('Preset').inputValue()).toBe('trial')
  })

  it('refuses numbers that cannot be, until a preset or a number replaces them', async () => {
    await fill('Learning rate', '-1')
    await page.getByText('A number from 0 up.').waitFor()
    expect(await page.getByRole('button', { name: 'Train' }).isDisabled()).toBe(true)
    await fill('Learning rate', '0.2')
    await page.locator('.sample').waitFor()
    await expect.poll(() => page.getByRole('button', { name: 'Train' }).isEnabled()).toBe(true)
  })

  it('trains with a live curve, stops with a checkpoint, and goes on from it', async () => {
    await fill('Micro-batches a step', '1')
    await fill('Steps', '12')
    await page.getByRole('button', { name: 'Train' }).click()
    const status = page.locator('.finetune-status')
    await status.getByText(STEP).waitFor({ timeout: 120_000 })
    await status.getByText(/loss .*/).waitFor()
    await page.locator('.chart canvas').waitFor()
    expect(await page.locator('.nav-note').textContent()).toMatch(/\d+%/)
    expect(await status.textContent()).toMatch(/tokens\/s.*left/)
    expect(await violations(page)).toEqual([])
    await page.getByRole('button', { name: 'Stop' }).click()
    const stopped = await page.getByText(/The checkpoint of step \d+ is kept/).textContent()
    const step = Number(/step (\d+)/.exec(stopped ?? '')?.[1])
    expect(step).toBeGreaterThan(0)
    expect(step).toBeLessThan(12)
    await page.getByText('it goes on from its last checkpoint').waitFor()
    await page.getByRole('button', { name: 'Go on with the training' }).click()
    await page.getByText('ads-train is trained.').waitFor({ timeout: 120_000 })
    expect(await page.locator('.finetune-outcome').textContent()).toContain('12 steps')
    const label = await page.locator('.chart').getAttribute('aria-label')
    const [, from, to] = /From (\d+(?:\.\d+)?) to (\d+(?:\.\d+)?)/.exec(label ?? '') ?? []
    expect(Number(to)).toBeLessThan(Number(from))
    expect(await page.getByLabel('Name of the prefix').inputValue()).toBe('ads-train 2')
  })

  it('refuses to go on with other settings, and says so', async () => {
    await fill('Name of the prefix', 'ads-train')
    await fill('Steps', '30')
    await page.getByRole('button', { name: 'Go on with the training' }).click()
    await page.getByText('This is another training').waitFor()
    expect(await page.locator('.notice-details').textContent()).toContain('maxSteps 12, not 30')
    await page.getByRole('button', { name: 'Dismiss' }).click()
  })

  it('saves the prefix as a file', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save the prefix' }).click(),
    ])
    expect(download.suggestedFilename()).toBe('ads-train.safetensors')
    const bytes = await readFile(await download.path())
    const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString()
    expect(JSON.parse(header)).toHaveProperty(['transformer.prefix_encoder.embedding.weight', 'shape', 0], 16)
  })

  it('chats with it after one click, also after a reload', async () => {
    await page.getByRole('button', { name: 'Chat with it' }).click()
    await page.locator('.header .chip').getByText('ads-train').waitFor()
    await limitAnswers(page, 4)
    const ask = async () => {
      await page.getByPlaceholder('Text to continue').fill('类型#裙')
      await page.keyboard.press('Enter')
      await page.locator('.answer .measures').first().waitFor()
      expect(await page.locator('.measures').first().textContent()).toContain('ads-train')
      return page.locator('.answer .markdown').first().textContent()
    }
    const answer = await ask()
    await page.reload()
    await page.getByRole('button', { name: 'New chat' }).click()
    expect(await ask()).not.toBe('')
    expect(answer).not.toBe('')
  })

  it('shows the prefix among what is stored', async () => {
    await page.getByRole('button', { name: 'Small model' }).click()
    await page.locator('.item', { hasText: 'ads-train' }).waitFor()
    await page.keyboard.press('Escape')
  })

  it.each([
    ['light', 'en'],
    ['dark', 'zh'],
  ] as const)('is accessible and fits a phone: %s, %s', async (colorScheme, locale) => {
    await page.emulateMedia({ colorScheme })
    if (locale === 'zh') await page.getByRole('button', { name: '中文' }).click()
    await page.setViewportSize({ width: 390, height: 844 })
    await page.goto(`${demo.url}#/finetune`)
    const [example, heading] =
      locale === 'zh' ? ['使用示例数据', '微调前缀'] : ['Use the example', 'Fine-tune a prefix']
    await page.getByRole('heading', { name: heading }).waitFor()
    const button = page.getByRole('button', { name: example })
    if (await button.isVisible()) await button.click()
    await page.locator('.sample').waitFor()
    await page.locator('.more summary').first().click()
    expect(await violations(page)).toEqual([])
    const overflow = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.querySelector('.view-scroll')!
      return scrollWidth - clientWidth
    })
    expect(overflow).toBe(0)
    await page.setViewportSize({ width: 1280, height: 800 })
  })

  it('broke no policy and no script on the way', () => {
    expect(demo.complaints).toEqual([])
  })
})
