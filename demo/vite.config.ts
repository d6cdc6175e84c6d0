import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'
import { forBrowsers } from '../tools/vite/for-browsers.js'
import { offline } from './plugins/offline.js'
import { FOLDER, onnxRuntime } from './plugins/onnx-runtime.js'
import { securityHeaders } from './plugins/security-headers.js'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** `npm run build:demo` makes a folder that any host can serve, at any path. */
export default defineConfig({
  root: path('.'),
  base: './',
  plugins: [
    forBrowsers(),
    securityHeaders(),
    onnxRuntime(),
    offline({ 'models/tiny': path('../models/tiny'), examples: path('../examples') }, FOLDER),
  ],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es', plugins: () => [forBrowsers()] },
  build: {
    target: 'es2022',
    outDir: path('dist'),
    emptyOutDir: true,
    // Icons in the style sheet stay files: the policy of the page is stricter about `data:`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: path('index.html'), sw: path('src/service-worker/sw.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})
