/**
 * Pictures of the demo page for the documentation, and its icons as PNG:
 *
 *   npm run screenshots
 *
 * Texts in Chinese need a Chinese font on the machine.
 */

import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { build, preview } from 'vite'

const CONFIG = 'demo/vite.config.ts'
const DESKTOP = { width: 1280, height: 800 }
const TALL = { width: 1280, height: 1500 }
const PHONE = { width: 390, height: 844 }
const ANSWER_TIMEOUT = 120_000
const TRAINING_TIMEOUT = 600_000
const SEED = 5

/** A picture, and what is done in a fresh browser before it is taken. */
interface Shot {
  readonly name: string
  readonly locale: 'en-US' | 'zh-CN'
  readonly dark?: boolean
  readonly phone?: boolean
  /** Shows more of a long page. */
  readonly tall?: boolean
  take(page: Page): Promise<void>
}

const startModel = async (page: Page) => {
  await page.locator('.card-primary').click()
  await page.locator('.dot-ready').waitFor({ timeout: ANSWER_TIMEOUT })
}

const answered = (page: Page, count = 1) =>
  page
    .locator('.measures')
    .nth(count - 1)
    .waitFor({ timeout: ANSWER_TIMEOUT })

/** The same answers every time, on the same adapter. */
async function chooseSeed(page: Page): Promise<void> {
  await page.locator('.header .icon-button').last().click()
  await page.locator('.panel .field-pair input').nth(1).fill(String(SEED))
  await page.keyboard.press('Escape')
}

/** What the small model is asked in a chat, behind the first suggestion. */
const QUESTIONS = {
  'en-US': ['My name is Anna.', 'Translate to Chinese: She likes apples.', 'What is my name?'],
  'zh-CN': ['45 减 18 等于多少？', '翻译成英文：她喜欢苹果。', '什么是 P-Tuning？'],
} as const

const chat = (locale: Shot['locale']) => async (page: Page) => {
  await chooseSeed(page)
  await page.locator('.suggestions button').nth(1).click()
  await answered(page)
  // Another question as a branch, so that there is one to see.
  await page.locator('.question').hover()
  await page.locator('.question .icon-button').last().click()
  await page.locator('.question-editor textarea').press('Enter')
  await page.locator('.question .branches').waitFor()
  await answered(page)
  for (const [index, question] of QUESTIONS[locale].entries()) {
    await page.locator('.composer textarea').fill(question)
    await page.locator('.composer textarea').press('Enter')
    await answered(page, index + 2)
  }
}

async function compare(page: Page): Promise<void> {
  await chooseSeed(page)
  await page.locator('.suggestion-compare').click()
  await answered(page, 3)
}

async function bench(page: Page): Promise<void> {
  await page.goto(`${page.url().split('#')[0]}#/bench`)
  await page.locator('.bench-form .button-primary').click()
  await page.locator('.bench-status progress').waitFor()
  await page.locator('.bench-status progress').waitFor({ state: 'detached', timeout: ANSWER_TIMEOUT })
}

async function finetune(page: Page): Promise<void> {
  await page.goto(`${page.url().split('#')[0]}#/finetune`)
  await page.locator('.view-section .button-row .button').nth(1).click()
  await page.locator('.sample').waitFor({ timeout: ANSWER_TIMEOUT })
  await page.locator('.finetune-memory').waitFor({ timeout: ANSWER_TIMEOUT })
  await page.locator('.finetune-start .button-primary').click()
  await page.locator('.finetune-outcome').waitFor({ timeout: TRAINING_TIMEOUT })
}

const SHOTS: readonly Shot[] = [
  { name: 'welcome', locale: 'en-US', take: async () => {} },
  { name: 'welcome-dark-zh', locale: 'zh-CN', dark: true, take: async () => {} },
  { name: 'chat', locale: 'en-US', take: chat('en-US') },
  { name: 'chat-dark-zh', locale: 'zh-CN', dark: true, take: chat('zh-CN') },
  { name: 'phone', locale: 'zh-CN', phone: true, take: chat('zh-CN') },
  {
    name: 'models',
    locale: 'en-US',
    take: async (page) => {
      await startModel(page)
      await page.locator('.model-button').click()
    },
  },
  {
    name: 'settings',
    locale: 'en-US',
    take: async (page) => {
      await startModel(page)
      await page.locator('.header .icon-button').last().click()
    },
  },
  { name: 'compare', locale: 'zh-CN', take: compare },
  { name: 'finetune', locale: 'en-US', tall: true, take: finetune },
  { name: 'bench', locale: 'en-US', dark: true, take: bench },
  {
    name: 'storage',
    locale: 'zh-CN',
    take: async (page) => {
      await page.goto(`${page.url().split('#')[0]}#/storage`)
      await page.locator('.usage').waitFor()
    },
  },
]

async function withBrowser<T>(
  executablePath: string,
  { locale, dark, phone, tall }: Partial<Shot>,
  work: (context: BrowserContext) => Promise<T>,
): Promise<T> {
  // A profile of its own for each picture: what one keeps must not be seen in another.
  const profile = await mkdtemp(join(tmpdir(), 'chatglm-shots-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: [
      '--headless=new',
      '--no-sandbox',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--enable-features=Vulkan',
      '--font-render-hinting=none',
    ],
    viewport: phone ? PHONE : tall ? TALL : DESKTOP,
    deviceScaleFactor: 1.5,
    colorScheme: dark ? 'dark' : 'light',
    ...(locale && { locale }),
  })
  try {
    return await work(context)
  } finally {
    await context.close()
    await rm(profile, { recursive: true, force: true })
  }
}

async function takeShot(executablePath: string, url: string, folder: string, shot: Shot): Promise<void> {
  await withBrowser(executablePath, shot, async (context) => {
    const [page] = context.pages()
    await page.goto(url)
    await page.locator('h1').waitFor()
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null)
    await shot.take(page)
    await page.locator('.toast').waitFor({ state: 'detached' })
    await page.mouse.move(0, 0)
    await page.evaluate(() =>
      Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {}))),
    )
    await page.screenshot({ path: join(folder, `page-${shot.name}.png`) })
  })
}

/** The icon at the sizes that systems ask for. A maskable one has room around it, as corners are cut off. */
async function drawIcons(executablePath: string, folder: string): Promise<void> {
  const svg = readFileSync(join(folder, 'icon.svg'), 'utf8')
  const full = svg.replace(/ rx="\d+"/, '')
  const icons = [
    { file: 'icon-192.png', size: 192, source: svg },
    { file: 'icon-512.png', size: 512, source: svg },
    { file: 'icon-maskable-512.png', size: 512, source: full },
    { file: 'apple-touch-icon.png', size: 180, source: full },
  ]
  await withBrowser(executablePath, {}, async (context) => {
    const [page] = context.pages()
    for (const { file, size, source } of icons) {
      const data = await page.evaluate(
        async ([text, pixels]) => {
          const image = new Image(pixels, pixels)
          image.src = `data:image/svg+xml,${encodeURIComponent(text)}`
          await image.decode()
          const canvas = Object.assign(document.createElement('canvas'), { width: pixels, height: pixels })
          canvas.getContext('2d')?.drawImage(image, 0, 0, pixels, pixels)
          return canvas.toDataURL('image/png').split(',')[1]
        },
        [source, size] as const,
      )
      await writeFile(join(folder, file), Buffer.from(data, 'base64'))
    }
  })
}

interface Options {
  readonly browser?: string
  readonly output: string
  readonly only?: string
  readonly icons: boolean
}

async function run({ browser, output, only, icons }: Options): Promise<void> {
  const executablePath = browser ?? (await (await import('@sparticuz/chromium')).default.executablePath())
  if (icons) return drawIcons(executablePath, 'demo/public')
  await mkdir(output, { recursive: true })
  const outDir = await mkdtemp(join(tmpdir(), 'chatglm-shots-page-'))
  const common = { configFile: CONFIG, logLevel: 'error' } as const
  await build({ ...common, build: { outDir, emptyOutDir: true } })
  const server = await preview({ ...common, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } })
  try {
    const [url] = server.resolvedUrls?.local ?? []
    for (const shot of SHOTS.filter(({ name }) => !only || new RegExp(only).test(name))) {
      await takeShot(executablePath, url, output, shot)
      console.log(`page-${shot.name}.png`)
    }
  } finally {
    await server.close()
    await rm(outDir, { recursive: true, force: true })
  }
}

await new Command('screenshots')
  .option('--browser <path>', 'a Chromium; default: that of the package @sparticuz/chromium')
  .option('--output <folder>', 'where to write', 'docs/images')
  .option('--only <pattern>', 'only pictures of such names')
  .option('--icons', 'draw the icons of the page instead', false)
  .action((options: Options) => run(options))
  .parseAsync()
