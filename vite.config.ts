import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'
import { forBrowsers } from './tools/vite/for-browsers.js'
import { INCLUDED } from './tools/vite/included.js'
import { shortenWgsl } from './tools/vite/shorten-wgsl.js'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Packages and Node modules stay imports, but for those that are included and what these import themselves. */
const isIncluded = (id: string) => INCLUDED.some((name) => id === name || id.startsWith(`${name}/`))
const isExternal = (id: string, importer = '') =>
  isBuiltin(id) || (/^[a-z@][^:]*$/.test(id) && !isIncluded(id) && !importer.includes('/node_modules/'))

/** The doors that are open to both platforms. */
const doors = {
  index: path('src/index.ts'),
  finetune: path('src/finetune.ts'),
}
/** Programs of threads in Node, each beside the file that starts it. */
const threads = {
  'encode-worker': path('src/runtime/convert/rows/node/encode-worker.ts'),
  'repack-worker': path('src/runtime/model/blocks/node/repack-worker.ts'),
}
const forNode: Record<string, string> = {
  ...doors,
  cli: path('src/cli/main.ts'),
  server: path('src/server.ts'),
  gpus: path('src/gpus.ts'),
  'gpu-host': path('src/cards/node/gpu-host.ts'),
  ...threads,
}
const forPages: Record<string, string> = {
  ...doors,
  browser: path('src/browser.ts'),
}
const programs: Record<string, string> = {
  // Beside the programs, too: those that use several GPUs start it.
  'gpu-host': path('src/cards/node/gpu-host.ts'),
  ...threads,
  'make-synthetic-checkpoint': path('tools/make-synthetic-checkpoint.ts'),
  'make-error-page': path('tools/make-error-page.ts'),
  'make-server-page': path('tools/make-server-page.ts'),
  screenshots: path('tools/screenshots.ts'),
  'soak-server': path('tools/soak-server.ts'),
  fuzz: path('test/fuzz/main.ts'),
  soak: path('test/soak/main.ts'),
  'make-tiny-corpus': path('tools/make-tiny-corpus.ts'),
  'make-tiny-answers': path('tools/make-tiny-answers.ts'),
  'train-tiny': path('tools/train-tiny.ts'),
  bench: path('bench/model.ts'),
  'bench-charts': path('bench/charts.ts'),
  'bench-kernels': path('bench/kernels.ts'),
  'bench-peers': path('bench/peers.ts'),
  'bench-finetune': path('bench/finetune.ts'),
  'bench-gpus': path('bench/gpus.ts'),
  'bench-full-shape': path('bench/full-shape.ts'),
  'bench-sequences': path('bench/sequences.ts'),
  'bench-server': path('bench/server.ts'),
  'bench-tokenizer': path('bench/tokenizer.ts'),
}

/**
 * Leaves `new Worker(new URL('./worker.js', import.meta.url))` in the library as it is: the workers are files of
 * their own beside it, and the bundler of whoever uses the library takes them along. Vite would make each a file of
 * its own with another copy of everything, under an address that is right only for an application.
 */
function keepWorkerUrls(): Plugin {
  const hidden = '__worker_url__'
  return {
    name: 'keep-worker-urls',
    enforce: 'pre',
    apply: ({ build }, { command }) => command === 'build' && Boolean(build?.lib),
    transform: (code) =>
      code.replace(/(new Worker\(\s*)new URL\(('[^']+'), import\.meta\.url\)/g, `$1${hidden}($2)`),
    renderChunk: (code) =>
      code.replace(new RegExp(`${hidden}\\((['"][^'"]+['"])\\)`, 'g'), 'new URL($1, import.meta.url)'),
  }
}

/** Tests that start a browser. */
const IN_BROWSERS = ['test/browser/**/*.test.ts']

interface Build {
  readonly folder: string
  readonly entry: Record<string, string>
  readonly plugins?: readonly Plugin[]
  /** Imports that are left. Default: all of packages and of Node. */
  readonly external?: typeof isExternal | RegExp[]
  /** One file with all that it needs. */
  readonly whole?: boolean
}

/** A worker is one file: Vite 7 does not split the code of workers, and refuses any `import()` in them. */
function worker(name: string, entry: string): Build {
  return {
    folder: 'dist/browser',
    entry: { [name]: path(entry) },
    plugins: [forBrowsers(), shortenWgsl()],
    external: [],
    whole: true,
  }
}

/** What `vite build` makes, by its `--mode`; without one it makes what Node needs. */
const builds: Readonly<Record<string, Build>> = {
  production: { folder: 'dist/node', entry: forNode, external: isExternal },
  browser: {
    folder: 'dist/browser',
    entry: forPages,
    plugins: [forBrowsers(), keepWorkerUrls(), shortenWgsl()],
    external: isExternal,
  },
  worker: worker('worker', 'src/browser/worker/worker.ts'),
  'store-worker': worker('store-worker', 'src/browser/store/store-worker.ts'),
  programs: { folder: 'build', entry: programs },
}

/** The library and the `chatglm` command in `dist/`, the programs of `tools/` and `bench/` in `build/`, and the tests. */
export default defineConfig(({ mode }) => ({
  plugins: builds[mode]?.plugins?.slice(),
  build: {
    target: 'es2022',
    minify: false,
    outDir: builds[mode]?.folder,
    lib: {
      formats: ['es'],
      entry: builds[mode]?.entry ?? {},
    },
    // Of the packages that are included.
    license: builds[mode]?.external !== undefined && { fileName: `licenses/${mode}.md` },
    emptyOutDir: !builds[mode]?.whole,
    rolldownOptions: {
      platform: builds[mode]?.plugins ? 'browser' : 'node',
      external: builds[mode]?.external ?? [/^node:/, /^[a-z@][^:]*$/],
      output: {
        ...(builds[mode]?.whole && { codeSplitting: false }),
        // The compiler's types have the comments, and bundlers warn of what some say.
        comments: { legal: true, annotation: true, jsdoc: false },
      },
    },
  },
  test: {
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
          exclude: [...IN_BROWSERS, 'test/package/**'],
          // The default leaves a core to the main process, which has little to do: on two cores that is half of the machine.
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: IN_BROWSERS,
          // A browser with its GPU process takes a small machine for itself.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
}))
