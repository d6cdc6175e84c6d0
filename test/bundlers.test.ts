/** The library in a page, as bundlers make it without configuration: no warnings, and the small model answers. */
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import * as esbuild from 'esbuild'
import type { InlineConfig } from 'vite'
import * as vite from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import webpack from 'webpack'
import { hasBrowser, TestBrowser } from './browser/browser.js'
import { TestServer } from './browser/server.js'

const MAIN = `
import { loadModel } from 'chatglm-webgpu'
import { loadModelInWorker, ModelStore } from 'chatglm-webgpu/browser'
globalThis.start = async () => {
  const model = await loadModelInWorker('/tiny/', { activations: 'float' })
  return (await model.generate('你好', { maxTokens: 2, stopIds: [] }).result()).ids.length
}
globalThis.keep = async (name) =>
  (await (await ModelStore.open()).download('/tiny/prefixes/poem/', { name, kind: 'prefix' })).complete
globalThis.other = loadModel
`
const HTML = (script: string) =>
  `<!doctype html><meta charset="utf-8"><script type="module" src="${script}"></script>`

/** @returns warnings */
type Bundle = (project: string, out: string) => Promise<readonly string[]>

const withEsbuild: Bundle = async (project, out) => {
  const { warnings } = await esbuild.build({
    absWorkingDir: project,
    entryPoints: ['src/main.js'],
    bundle: true,
    format: 'esm',
    splitting: true,
    outdir: out,
    logLevel: 'silent',
  })
  await writeFile(join(out, 'index.html'), HTML('./main.js'))
  return warnings.map(({ text }) => text)
}

const withWebpack: Bundle = async (project, out) => {
  const compiler = webpack({
    mode: 'production',
    context: project,
    entry: './src/main.js',
    output: { path: out },
    // Faster, and then sizes say nothing.
    optimization: { minimize: false },
    performance: false,
  })
  const stats = await new Promise<webpack.Stats | undefined>((done, fail) =>
    compiler!.run((error, stats) => (error ? fail(error) : done(stats))),
  )
  await writeFile(join(out, 'index.html'), HTML('./main.js'))
  const { errors = [], warnings = [] } = stats!.toJson({ all: false, errors: true, warnings: true })
  return [...errors, ...warnings].map(({ message }) => message)
}

const withVite =
  (build: (config: InlineConfig) => Promise<unknown>): Bundle =>
  async (project, out) => {
    const warnings: string[] = []
    // How long a build takes is about the machine.
    const warn = (text: string) => void (text.includes('PLUGIN_TIMINGS') || warnings.push(text))
    await build({
      root: project,
      base: './',
      configFile: false,
      build: { outDir: out, minify: false, chunkSizeWarningLimit: 2000 },
      customLogger: {
        ...vite.createLogger('silent'),
        warn,
        warnOnce: warn,
        error: warn,
      },
    })
    return warnings
  }

describe.runIf(hasBrowser)('a page with the library', { timeout: 180_000 }, () => {
  let project: string
  let server: TestServer
  let browser: TestBrowser

  beforeAll(async () => {
    // Below the repository, so that the library's own dependencies are found.
    await mkdir('.cache', { recursive: true })
    project = resolve(await mkdtemp(join('.cache', 'bundlers-')))
    const installed = join(project, 'node_modules', 'chatglm-webgpu')
    await mkdir(join(project, 'src'), { recursive: true })
    await mkdir(installed, { recursive: true })
    await Promise.all([
      vite.build({
        configFile: 'vite.config.ts',
        mode: 'browser',
        logLevel: 'error',
        build: { outDir: join(installed, 'dist', 'browser') },
      }),
      cp('package.json', join(installed, 'package.json')),
      writeFile(join(project, 'src', 'main.js'), MAIN),
      writeFile(join(project, 'index.html'), HTML('/src/main.js')),
      writeFile(join(project, 'package.json'), '{ "type": "module" }'),
    ])
    ;[server, browser] = await Promise.all([TestServer.start(), TestBrowser.launch()])
    server.serveFolder('/tiny', resolve('models/tiny'))
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(project, { recursive: true, force: true })
  })

  const bundlers: Readonly<Record<string, Bundle>> = {
    esbuild: withEsbuild,
    webpack: withWebpack,
    vite: withVite(vite.build),
  }
  it.each(Object.entries(bundlers))('by %s answers', async (name, bundle) => {
    const out = join(project, 'out', name)
    expect(await bundle(project, out)).toEqual([])
    server.serveFolder(`/${name}`, out)
    const page = await browser.context.newPage()
    await page.goto(`${server.url}/${name}/`)
    await page.waitForFunction(() => 'start' in globalThis)
    expect(await page.evaluate('start()')).toBe(2)
    expect(await page.evaluate(`keep('${name}')`)).toBe(true)
    await page.close()
  })
})
