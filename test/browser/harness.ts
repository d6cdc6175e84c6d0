/** A page that has the library, served to a real browser: what a test file in the browser needs, once for each file. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { forBrowsers } from '../../tools/vite/for-browsers.js'
import { TestBrowser } from './browser.js'
import { TestServer } from './server.js'

const PAGE = fileURLToPath(new URL('page', import.meta.url))
const TINY = fileURLToPath(new URL('../../models/tiny', import.meta.url))

export interface BrowserTests {
  readonly browser: TestBrowser
  /** Serves the page at `/page/` and the small model at `/tiny/`. */
  readonly server: TestServer
  /** Opens the page in a new tab; `globalThis.chatglm` is the library there. */
  openPage(): Promise<Page>
  close(): Promise<void>
}

/** Builds the test page with Vite, from the sources, and starts a browser. */
export async function startBrowserTests(flags: readonly string[] = []): Promise<BrowserTests> {
  const folder = await mkdtemp(join(tmpdir(), 'chatglm-page-'))
  const [server, browser] = await Promise.all([
    TestServer.start(),
    TestBrowser.launch(flags),
    build({
      root: PAGE,
      base: './',
      configFile: false,
      logLevel: 'error',
      plugins: [forBrowsers()],
      worker: { format: 'es', plugins: () => [forBrowsers()] },
      build: { outDir: folder, emptyOutDir: true, target: 'es2022', minify: false },
    }),
  ])
  server.serveFolder('/page', folder)
  server.serveFolder('/tiny', TINY)
  return {
    browser,
    server,
    async openPage() {
      const page = await browser.context.newPage()
      await page.goto(`${server.url}/page/`)
      await page.waitForFunction(() => 'chatglm' in globalThis)
      return page
    },
    async close() {
      await browser.close()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
