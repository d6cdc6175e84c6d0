/** The demo page, built and served as `npm run demo` does, in a real browser: once for each test file. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { build, type Plugin, preview } from 'vite'
import { TestBrowser } from './browser.js'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const CONFIG = path('../../demo/vite.config.ts')
const WORKER = path('../../src/browser/worker/worker.ts')
const LOSABLE_GPU = `
const request = GPUAdapter.prototype.requestDevice
GPUAdapter.prototype.requestDevice = async function (...options) {
  const device = await request.apply(this, options)
  new BroadcastChannel('take the GPU away').onmessage = () => device.destroy()
  return device
}`

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Lets a message on the channel `take the GPU away` do what a driver reset does. */
function losableGpu(): Plugin {
  return {
    name: 'losable-gpu',
    transform: (code, id) => (id === WORKER ? `${code}\n${LOSABLE_GPU}` : undefined),
  }
}

/** Puts a module in the place of the one where the page takes models from the library. */
function otherBackend(module: string): Plugin {
  return {
    name: 'other-backend',
    enforce: 'pre',
    resolveId: (source, importer) =>
      /\/backend\.js$/.test(source) && importer?.includes('/demo/src/') ? module : undefined,
  }
}

export interface DemoOptions {
  /** A module to take models from; by default the library's. */
  readonly backend?: string
  readonly locale?: string
}

export class DemoPage {
  readonly browser: TestBrowser
  readonly url: string
  /** Violations of a policy, errors of the page, and what it wrote to the console as an error. */
  readonly complaints: string[] = []
  readonly #close: () => Promise<void>

  private constructor(browser: TestBrowser, url: string, close: () => Promise<void>) {
    this.browser = browser
    this.url = url
    this.#close = close
  }

  static async start({ backend }: DemoOptions = {}): Promise<DemoPage> {
    const outDir = await mkdtemp(join(tmpdir(), 'chatglm-demo-'))
    const plugins = backend ? [otherBackend(backend)] : []
    // What Vitest sets would make a build for development.
    process.env.NODE_ENV = 'production'
    // Chromium makes no valid language of the locale `C`.
    process.env.LC_ALL = 'en_US.UTF-8'
    const common = { configFile: CONFIG, logLevel: 'error' } as const
    const [browser] = await Promise.all([
      TestBrowser.launch(['--lang=en-US']),
      build({
        ...common,
        plugins,
        worker: { plugins: () => [losableGpu()] },
        build: { outDir, emptyOutDir: true, reportCompressedSize: false },
      }),
    ])
    const server = await preview({ ...common, build: { outDir }, preview: { port: 0, host: '127.0.0.1' } })
    const [url] = server.resolvedUrls?.local ?? []
    const close = async () => {
      await browser.close()
      await server.close()
      await rm(outDir, { recursive: true, force: true })
    }
    return new DemoPage(browser, url, close)
  }

  /**
   * Opens the page in a new tab, and waits until it can be used.
   * @param before what is done to the tab before the page is in it
   */
  async open(hash = '', before: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
    const page = await this.browser.context.newPage()
    await before(page)
    page.on('pageerror', ({ message }) => this.complaints.push(message))
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text())
    })
    await page.goto(`${this.url}${hash}`)
    await page.waitForSelector('.main')
    return page
  }

  close(): Promise<void> {
    return this.#close()
  }
}

/** Sets the longest answer of the shown conversation, by its settings. */
export async function limitAnswers(page: Page, tokens: number): Promise<void> {
  await page.getByRole('button', { name: 'Settings of this chat' }).click()
  await page.getByLabel('Longest answer').fill(String(tokens))
  await page.keyboard.press('Escape')
}

/** Asks, and waits for the end of the answer. */
export async function askAndWait(page: Page, question: string): Promise<void> {
  const before = await page.locator('.answer .measures').count()
  await page.getByPlaceholder('Message ChatGLM').fill(question)
  await page.keyboard.press('Enter')
  await page.locator('.answer .measures').nth(before).waitFor()
}

/** What axe-core complains about, with where. */
export async function violations(page: Page): Promise<string[]> {
  const script = await readFile(axeSource, 'utf8')
  await page.evaluate(script)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }
    // What moves into its place is not yet what it will be.
    await Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {})))
    const result = await axe.run()
    return result.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`),
    )
  })
}
