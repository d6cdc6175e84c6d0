import type { Plugin } from 'vite'

const PLATFORM = /\/src\/platform\/is-node\.ts$/
const NODE_ONLY = /import\('[^']*\/node\/[^']*'\)/g

/**
 * Makes a build of `src/` for browsers. What only Node runs is in folders called `node`, and imported behind `isNode`. Here
 * that is false, and the imports are gone: some bundlers write files also for imports that are never reached.
 */
export function forBrowsers(): Plugin {
  return {
    name: 'for-browsers',
    enforce: 'pre',
    load: (id) => (PLATFORM.test(id) ? 'export const isNode = false' : undefined),
    transform: (code, id) => (/\/src\/.*\.ts$/.test(id) ? code.replace(NODE_ONLY, 'undefined') : undefined),
  }
}
