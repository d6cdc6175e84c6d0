import type { SourceLocation } from '../../../src/index.js'
import { isShippedPrefix, temporaryPrefix } from '../prefixes/prefixes.js'
import { openStore } from '../storage/store.js'
import type { Model, PrefixHandle } from './backend.js'
import { loadedPrefixes } from './loaded-prefixes.js'
import { shippedPrefixUrl } from './shipped.js'

async function locate(name: string): Promise<SourceLocation> {
  if (isShippedPrefix(name)) return shippedPrefixUrl(name)
  return temporaryPrefix(name) ?? (await openStore()).source(name)
}

/**
 * A stored prefix on the GPU.
 * @throws `checkpoint.prefix-invalid`, and errors of the store
 */
export function prefixNamed(model: Model, name: string): Promise<PrefixHandle> {
  const known = loadedPrefixes.get(name)
  if (known) return known
  const prefix = locate(name).then((location) => model.loadPrefix(location))
  loadedPrefixes.set(name, prefix)
  prefix.catch(() => loadedPrefixes.delete(name))
  return prefix
}

/** Takes a prefix that is on the GPU already, in the place of an older one of the name. */
export async function rememberPrefix(model: Model, name: string, prefix: PrefixHandle): Promise<void> {
  await unloadPrefix(model, name)
  loadedPrefixes.set(name, Promise.resolve(prefix))
}

/** Takes a prefix off the GPU. */
export async function unloadPrefix(model: Model, name: string): Promise<void> {
  const prefix = loadedPrefixes.get(name)
  loadedPrefixes.delete(name)
  if (prefix) await model.unloadPrefix(await prefix)
}
