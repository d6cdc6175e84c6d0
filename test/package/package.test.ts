/**
 * The packed package in the hands of its users: what it brings along, its doors in Node, its types without
 * `skipLibCheck`, and pages that bundlers make of it without configuration.
 */
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser, TestBrowser } from '../browser/browser.js'
import { TestServer } from '../browser/server.js'
import { Installation } from './installation.js'

/** What comes with `npm install chatglm-webgpu`. */
const PACKAGES = [
  '@huggingface/tokenizers',
  '@noble/hashes',
  '@webgpu/types', // of webgpu, as debug and ms are
  '@zip.js/zip.js',
  'chatglm-webgpu',
  'comlink',
  'csv-parse',
  'debug',
  'jieba-wasm',
  'ms',
  'webgpu',
  'yaml',
]

let user: Installation
beforeAll(async () => {
  user = await Installation.create()
})
afterAll(() => user.remove())

describe('the package', () => {
  it('brings nothing that only the command, the charts or the software adapter needs', async () => {
    expect(await user.packages()).toEqual(PACKAGES)
    expect(user.output).not.toMatch(/warn|deprecated/i)
  })

  it('has no tests, and types of nothing but the doors', () => {
    expect(user.packed.filter((path) => /\.test\.|testing|\.reference\./.test(path))).toEqual([])
    const types = user.packed.filter((path) => path.startsWith('dist/types/'))
    expect(types.length).toBeLessThan(16)
  })
})

describe('in Node', () => {
  const evaluate = (code: string) => user.node('--input-type=module', '--eval', code)

  it.each([
    ['chatglm-webgpu', 'loadModel'],
    ['chatglm-webgpu/finetune', 'finetunePrefix'],
    ['chatglm-webgpu/server', 'createServer'],
    // Frameworks that render pages in Node import it there.
    ['chatglm-webgpu/browser', 'loadModelInWorker'],
  ])('%s opens', async (door, name) => {
    expect(await evaluate(`import { ${name} } from '${door}'; console.log(typeof ${name})`)).toBe(
      'function\n',
    )
  })

  it('a device that is not there is an error that names the package with the software adapter', async () => {
    const code = `
      import { requestAdapter } from 'chatglm-webgpu'
      await requestAdapter('software').catch(({ code, message }) => console.log(code, message))`
    expect(await evaluate(code)).toMatch(/^adapter\.none .*npm install @sparticuz\/chromium/)
  })

  describe('with the software adapter', () => {
    const COMMAND = 'node_modules/chatglm-webgpu/dist/node/cli.js'
    const TINY = 'node_modules/chatglm-webgpu/models/tiny'

    beforeAll(async () => {
      await mkdir(join(user.folder, 'node_modules', '@sparticuz'), { recursive: true })
      await symlink(
        resolve('node_modules/@sparticuz/chromium'),
        join(user.folder, 'node_modules/@sparticuz/chromium'),
      )
    })

    it('the command answers', async () => {
      const args = ['--device', 'software', '--max-tokens', '8', '--temperature', '0']
      expect(await user.node(COMMAND, 'chat', TINY, '你好', ...args)).not.toBe('')
    })

    it('the server answers, counts, and lets pages in', async () => {
      const { found: url, stop } = await user.start(
        [COMMAND, 'serve', TINY, '--device', 'software', '--port', '0', '--cors', 'https://a.example'],
        /(http:\/\/[\d.]+:\d+)/,
      )
      try {
        const answer = await fetch(`${url}/v1/chat/completions`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin: 'https://a.example' },
          body: JSON.stringify({ messages: [{ role: 'user', content: '你好' }], max_tokens: 2 }),
        })
        expect(answer.headers.get('access-control-allow-origin')).toBe('https://a.example')
        expect(await answer.json()).toMatchObject({
          object: 'chat.completion',
          usage: { completion_tokens: 2 },
        })
        expect(await (await fetch(`${url}/metrics`)).text()).toContain('process_cpu_seconds_total')
      } finally {
        await stop()
      }
    })
  })
})

describe('in TypeScript', () => {
  beforeAll(() => user.addTools())

  const programs = {
    'a program for Node': { lib: ['ES2023'], types: ['node'], files: ['front', 'finetune', 'server'] },
    'a page': {
      lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
      types: [],
      files: ['front', 'finetune', 'page'],
    },
  }
  const modules = { bundler: 'esnext', nodenext: 'nodenext' }
  const compilations = Object.entries(programs).flatMap(([program, setting]) =>
    ['5.5', '6'].flatMap((version) =>
      Object.entries(modules).map(([resolution, module]) => ({
        program,
        version,
        resolution,
        module,
        ...setting,
      })),
    ),
  )
  it.each(compilations)(
    'TypeScript $version checks $program, types of the package included ($resolution)',
    async ({ version, resolution, module, lib, types, files }) => {
      const checks = { noEmit: true, strict: true, skipLibCheck: false }
      const compilerOptions = {
        ...checks,
        target: 'es2022',
        lib,
        types,
        module,
        moduleResolution: resolution,
      }
      const settings = { compilerOptions, files: files.map((name) => `${name}.ts`) }
      await writeFile(join(user.folder, 'types', 'tsconfig.json'), JSON.stringify(settings))
      expect(await user.node(`node_modules/typescript-${version}/bin/tsc`, '-p', 'types')).toBe('')
    },
  )
})

describe.runIf(hasBrowser)('a page', () => {
  let server: TestServer
  let browser: TestBrowser
  beforeAll(async () => {
    await user.addTools()
    ;[server, browser] = await Promise.all([TestServer.start(), TestBrowser.launch()])
    server.serveFolder('/tiny', resolve('models/tiny'))
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  const answers = async (url: string, name: string) => {
    const page = await browser.context.newPage()
    await page.goto(url)
    await page.waitForFunction(() => 'start' in globalThis)
    expect(await page.evaluate('start()')).toBe(2)
    expect(await page.evaluate(`keep('${name}')`)).toBe(true)
    await page.close()
  }

  const bin = (name: string) => join('node_modules', '.bin', name)
  const vite = (version: number, out: string) => [
    process.execPath,
    `node_modules/vite-${version}/bin/vite.js`,
    ...['build', '--base', './', '--outDir', out],
  ]
  it.each([
    { name: 'Vite 7', out: 'out/vite-7', command: vite(7, 'out/vite-7') },
    { name: 'Vite 8', out: 'out/vite-8', command: vite(8, 'out/vite-8') },
    {
      name: 'webpack 5',
      out: 'out/webpack',
      command: [bin('webpack'), '--mode', 'production', '--entry', './src/main.js', '-o', 'out/webpack'],
      script: './main.js',
    },
    {
      name: 'esbuild',
      out: 'out/esbuild',
      command: [
        bin('esbuild'),
        'src/main.js',
        '--bundle',
        '--format=esm',
        '--splitting',
        '--outdir=out/esbuild',
      ],
      script: './main.js',
    },
  ])('by $name answers', async ({ name, out, command: [program, ...args], script }) => {
    expect(warnings(await user.run(program, ...args))).toEqual([])
    if (script) {
      const html = await readFile(join(user.folder, 'index.html'), 'utf8')
      await writeFile(join(user.folder, out, 'index.html'), html.replace('/src/main.js', script))
    }
    server.serveFolder(`/${out}`, join(user.folder, out))
    await answers(`${server.url}/${out}/`, name)
  })

  it.each(['--turbopack', '--webpack'])('by Next.js answers (%s)', async (bundler) => {
    await mkdir(join(user.folder, 'public'), { recursive: true })
    await cp('models/tiny', join(user.folder, 'public', 'tiny'), { recursive: true })
    const printed = await user.node('node_modules/next/dist/bin/next', 'build', bundler)
    expect(warnings(printed)).toEqual([])
    const { found: url, stop } = await user.start(
      ['node_modules/next/dist/bin/next', 'start', '--port', '0'],
      /(http:\/\/localhost:\d+)/,
    )
    try {
      await answers(url, bundler.slice(2))
    } finally {
      await stop()
    }
  })
})

/**
 * Lines that warn, but for webpack's and Vite's advice on sizes above 244 KiB and 500 kB: a page that has the whole engine in its
 * first file is larger.
 */
function warnings(printed: string): string[] {
  const ofSizes =
    /^WARNING in (asset size limit|entrypoint size limit|webpack performance recommendations)|chunks are larger than 500 kB|build\.chunkSizeWarningLimit/
  return printed
    .split('\n')
    .filter(
      (line) =>
        /warning in|\bwarn(ing)?\b|\(!\)/i.test(line) &&
        !ofSizes.test(line) &&
        !/^webpack .* compiled with/.test(line),
    )
}
