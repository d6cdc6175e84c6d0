import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Packages and Node modules stay imports: the library is bundled by whoever uses it. */
const external = [/^node:/, /^[a-z@][^:]*$/]

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
      entry:
        mode === 'programs'
          ? { 'make-tiny-model': path('tools/make-tiny-model.ts') }
          : { index: path('src/index.ts'), cli: path('src/cli/main.ts') },
    },
    rollupOptions: { external },
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
}))
