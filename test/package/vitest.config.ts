import { defineConfig } from 'vitest/config'

/** The packed package as its users install it, by `npm run test:package`. It needs a registry of packages. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/package/*.test.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
})
