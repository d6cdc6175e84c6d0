import type * as NodeCrypto from 'node:crypto'
import type * as NodeFs from 'node:fs/promises'
import type * as NodePath from 'node:path'
import type * as NodeUrl from 'node:url'

/**
 * The only place of this room that reaches for Node's modules. The names are variables to bundlers, so a
 * bundle for the browser neither contains nor needs them.
 */
const load = (name: string): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ name)

/** Whether this runs in Node, where there are folders. */
export const isNode: boolean = typeof process !== 'undefined' && typeof process.versions?.node === 'string'

/** The modules a folder needs. Call only where {@link isNode}. */
export async function nodeFileModules(): Promise<{
  fs: typeof NodeFs
  path: typeof NodePath
  url: typeof NodeUrl
}> {
  const [fs, path, url] = await Promise.all([load('node:fs/promises'), load('node:path'), load('node:url')])
  return { fs: fs as typeof NodeFs, path: path as typeof NodePath, url: url as typeof NodeUrl }
}

/** Node's cryptography. Call only where {@link isNode}. */
export async function nodeCrypto(): Promise<typeof NodeCrypto> {
  return (await load('node:crypto')) as typeof NodeCrypto
}
