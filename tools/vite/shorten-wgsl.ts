import type { Plugin } from 'vite'

/** WGSL without comments and indentation, which are a third of what a page would load. */
export function shortenWgsl(): Plugin {
  return {
    name: 'shorten-wgsl',
    enforce: 'pre',
    apply: 'build',
    transform: {
      filter: { id: /\.wgsl\?raw$/ },
      handler: (code) => ({ code: code.replace(/(\\n|")\s*\/\/.*?(?=\\n|"$)/g, '$1') }),
    },
  }
}
