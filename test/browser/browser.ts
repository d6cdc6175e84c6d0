/** A real Chromium with WebGPU on the software adapter, from the npm package `@sparticuz/chromium`. Linux x64 only. */
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

/** Whether tests can start a browser here. */
export const hasBrowser = process.platform === 'linux' && process.arch === 'x64'

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
]

async function version(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const path = join(dirname(dirname(dirname(entry))), 'package.json')
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version
}

/**
 * Unpacks the browser into the user's cache folder, once. The package itself unpacks into the temporary folder, file
 * by file, so that two processes at once would start a browser that is half written.
 * @returns the path of the program
 */
async function unpackBrowser(): Promise<string> {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = join(caches, 'chatglm-webgpu', `chromium-${await version()}`)
  const program = join(folder, 'chromium')
  const exists = () =>
    access(program).then(
      () => true,
      () => false,
    )
  if (await exists()) return program
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}-`)
  const before = process.env.TMPDIR
  try {
    process.env.TMPDIR = fresh
    const { default: packed } = await import('@sparticuz/chromium')
    const unpacked = await packed.executablePath()
    if (dirname(unpacked) !== fresh)
      throw new Error(`${basename(unpacked)} was unpacked into ${dirname(unpacked)}`)
    await rename(fresh, folder)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    // Another process may have finished the same work first.
    if (!(await exists())) throw error
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  return program
}

/** A browser with a profile of its own on the disk, as storage in memory is another implementation. */
export class TestBrowser {
  readonly context: BrowserContext
  readonly #profile: string

  private constructor(context: BrowserContext, profile: string) {
    this.context = context
    this.#profile = profile
  }

  /** @param flags more command-line switches of Chromium */
  static async launch(flags: readonly string[] = []): Promise<TestBrowser> {
    const executablePath = await unpackBrowser()
    const profile = await mkdtemp(join(tmpdir(), 'chatglm-browser-'))
    const context = await chromium.launchPersistentContext(profile, {
      executablePath,
      args: [...FLAGS, ...flags],
      viewport: { width: 1280, height: 800 },
    })
    return new TestBrowser(context, profile)
  }

  async close(): Promise<void> {
    await this.context.close()
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 3 })
  }
}
