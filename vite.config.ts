import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Packages and Node modules stay imports: the library is bundled by whoever uses it. */
const external = [/^node:/, /^[a-z@][^:]*$/]

const library: Record<string, string> = {
  index: path('src/index.ts'),
  cli: path('src/cli/main.ts'),
  server: path('src/server.ts'),
  worker: path('src/browser/worker/worker.ts'),
  'store-worker': path('src/browser/store/store-worker.ts'),
}
const programs: Record<string, string> = {
  'make-synthetic-checkpoint': path('tools/make-synthetic-checkpoint.ts'),
  'make-error-page': path('tools/make-error-page.ts'),
  screenshots: path('tools/screenshots.ts'),
  fuzz: path('test/fuzz/main.ts'),
  'make-tiny-corpus': path('tools/make-tiny-corpus.ts'),
  'make-tiny-answers': path('tools/make-tiny-answers.ts'),
  'train-tiny': path('tools/train-tiny.ts'),
  bench: path('bench/model.ts'),
  'bench-charts': path('bench/charts.ts'),
  'bench-kernels': path('bench/kernels.ts'),
  'bench-peers': path('bench/peers.ts'),
  'bench-finetune': path('bench/finetune.ts'),
  'bench-full-shape': path('bench/full-shape.ts'),
  'bench-sequences': path('bench/sequences.ts'),
  'bench-tokenizer': path('bench/tokenizer.ts'),
}

/**
 * Leaves `new Worker(new URL('./worker.js', import.meta.url))` in the library as it is: the workers are entries of
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

/**
 * `vite build` makes the library and the `chatglm` command in `dist/`;
 * `vite build --mode programs` makes the programs of `tools/` and `bench/` in `build/`.
 */
export default defineConfig(({ mode }) => ({
  plugins: [keepWorkerUrls()],
  build: {
    target: 'es2022',
    minify: false,
    outDir: mode === 'programs' ? 'build' : 'dist',
    lib: {
      formats: ['es'],
      entry: mode === 'programs' ? programs : library,
    },
    rollupOptions: { external },
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}))
