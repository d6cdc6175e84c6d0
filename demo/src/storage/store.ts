import { signal } from '@preact/signals'
import { ModelStore, type StoredItem, type StoreProgress, type StoreUsage } from '../../../src/browser.js'
import { withOrigin } from './offline.js'

/** Whether this window can keep models; undefined until it is known. */
export const keepsModels = signal<boolean | undefined>(undefined)
export const storedItems = signal<readonly StoredItem[]>([])
export const usage = signal<StoreUsage | undefined>(undefined)

let opened: Promise<ModelStore> | undefined

/** @throws `store.unavailable` */
export function openStore(): Promise<ModelStore> {
  opened ??= ModelStore.open()
  return opened
}

/** Looks what is stored. */
export async function refreshStore(): Promise<void> {
  try {
    const store = await openStore()
    const [items, used] = await Promise.all([store.list(), store.usage()])
    storedItems.value = items
    usage.value = used
    keepsModels.value = true
  } catch {
    keepsModels.value = false
  }
}

/** A file of a stored item. @throws `store.not-found`, `store.incomplete` */
export async function readStored(name: string, path: string): Promise<Uint8Array> {
  const files = await (await openStore()).source(name).open()
  return files.read(path, 0, await files.size(path))
}

export async function deleteStored(name: string): Promise<void> {
  await (await openStore()).delete(name)
  await refreshStore()
}

/** Deletes every model and prefix. */
export async function deleteAllStored(): Promise<void> {
  if (!keepsModels.value) return
  await (await openStore()).deleteAll()
  await refreshStore()
}

/** Asks the browser to keep the data when the disk gets full. */
export async function persist(): Promise<void> {
  await (await openStore()).persist()
  await refreshStore()
}

/** What to download. */
export interface DownloadRequest {
  /** `hf:owner/name`, `modelscope:owner/name`, or a URL. */
  readonly location: string
  readonly endpoints: { readonly hf: string; readonly modelscope: string }
  readonly name: string
}

/** Where requests of a download go first; a server may redirect them further. */
export function originOf({ location, endpoints }: DownloadRequest): string {
  if (location.startsWith('hf:')) return new URL(endpoints.hf).origin
  if (location.startsWith('modelscope:')) return new URL(endpoints.modelscope).origin
  return new URL(location).origin
}

/**
 * Downloads a model into the store, or continues where it was stopped. The store does it in a worker of its own; the
 * service worker gives that one a policy that names a single server, and lets requests through to it while this lasts.
 */
export async function download(
  request: DownloadRequest,
  signal: AbortSignal,
  onProgress: (progress: StoreProgress) => void,
): Promise<void> {
  const { location, name, endpoints } = request
  const store = await openStore()
  try {
    await withOrigin(originOf(request), () =>
      store.download(location, { name, kind: 'model', endpoints, signal, onProgress }),
    )
  } finally {
    await refreshStore()
  }
}

/** Compares the files of a stored item with their hashes. @returns the paths of damaged ones */
export async function verify(
  name: string,
  onProgress: (progress: StoreProgress) => void,
): Promise<readonly string[]> {
  const { damaged } = await (await openStore()).verify(name, { onProgress })
  await refreshStore()
  return damaged
}
