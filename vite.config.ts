import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Packages and Node modules stay imports: the library is bundled by whoever uses it. */
const external = [/^node:/, /^[a-z@][^:]*$/]

const library: Record<string, string> = { index: path('src/index.ts'), cli: path('src/cli/main.ts') }
const programs: Record<string, string> = {
  'make-synthetic-checkpoint': path('tools/make-synthetic-checkpoint.ts'),
  'make-tiny-model': path('tools/make-tiny-model.ts'),
  bench: path('bench/model.ts'),
  'bench-charts': path('bench/charts.ts'),
  'bench-kernels': path('bench/kernels.ts'),
  'bench-peers': path('bench/peers.ts'),
  'bench-full-shape': path('bench/full-shape.ts'),
  'bench-tokenizer': path('bench/tokenizer.ts'),
}

/**
 * `vite build` makes the library and the `chatglm` command in `dist/`;
 * `vite build --mode programs` makes the programs of `tools/` and `bench/` in `build/`.
 */
export default defineConfig(({ mode }) => ({
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
