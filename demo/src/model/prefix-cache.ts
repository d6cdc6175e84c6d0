import type { SourceLocation } from '../../../src/index.js'
import { isShippedPrefix, temporaryPrefix } from '../prefixes/prefixes.js'
import { openStore } from '../storage/store.js'
import type { PrefixHandle, WorkerModel } from './backend.js'
import { shippedPrefixUrl } from './shipped.js'

/** Prefixes that are on the GPU, by name. They belong to the model that is loaded. */
const loaded = new Map<string, Promise<PrefixHandle>>()

async function locate(name: string): Promise<SourceLocation> {
  if (isShippedPrefix(name)) return shippedPrefixUrl(name)
  return temporaryPrefix(name) ?? (await openStore()).source(name)
}

/**
 * A stored prefix on the GPU.
 * @throws PrefixError, and errors of the store
 */
export function prefixNamed(model: WorkerModel, name: string): Promise<PrefixHandle> {
  const known = loaded.get(name)
  if (known) return known
  const prefix = locate(name).then((location) => model.loadPrefix(location))
  loaded.set(name, prefix)
  prefix.catch(() => loaded.delete(name))
  return prefix
}

/** Takes a prefix that is on the GPU already, in the place of an older one of the name. */
export async function rememberPrefix(model: WorkerModel, name: string, prefix: PrefixHandle): Promise<void> {
  await unloadPrefix(model, name)
  loaded.set(name, Promise.resolve(prefix))
}

/** Takes a prefix off the GPU. */
export async function unloadPrefix(model: WorkerModel, name: string): Promise<void> {
  const prefix = loaded.get(name)
  loaded.delete(name)
  if (prefix) await model.unloadPrefix(await prefix)
}

/** The model is gone, and its prefixes with it. */
export function forgetPrefixes(): void {
  loaded.clear()
}
