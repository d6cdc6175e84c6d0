import { proxy } from 'comlink'
import {
  keptUrl,
  listFiles,
  openSource,
  SOURCE_PLACE,
  SOURCE_SHAPE,
  type SourceLocation,
  type SourceOpener,
  type SourceOptions,
} from '../../checkpoint/index.js'
import { disposed, invalidOption } from '../../errors/index.js'
import {
  signal as abortSignal,
  callback,
  checkArgument,
  checkOptions,
  type OptionShape,
  oneOf,
  text,
  withMethods,
} from '../../schema/index.js'
import type { Outcome } from '../worker/outcome.js'
import { packSource } from '../worker/source-transport.js'
import { startWorker } from '../worker/start-worker.js'
import { type Question, WorkerLine } from '../worker/worker-line.js'
import { download } from './download.js'
import { itemBusy, notStored, storeUnavailable } from './errors.js'
import { folderName, ItemFolder, isNotFound, itemName } from './item-folder.js'
import { withItemLock } from './locks.js'
import type { StoreHost } from './store-host.js'
import { StoredLocation } from './stored-files.js'
import { StoredOutput } from './stored-output.js'
import { isLocked } from './sync-access.js'
import type { StoredItem, StoredKind, StoreOptions, StoreUsage, StoreWorkOptions } from './types.js'
import { verify } from './verify.js'

const FOLDER = 'chatglm-webgpu'
const MAX_NAME = 80

export interface DownloadOptions extends StoreWorkOptions, SourceOptions {
  /** What to call it in the store. */
  readonly name: string
  /** Default: `model`. */
  readonly kind?: StoredKind
}

const OPEN_SHAPE: OptionShape<StoreOptions> = {
  root: withMethods(['getDirectoryHandle', 'removeEntry'], 'a directory handle'),
}
const WORK_SHAPE: OptionShape<StoreWorkOptions> = { onProgress: callback, signal: abortSignal }
const DOWNLOAD_SHAPE: OptionShape<DownloadOptions> = {
  ...SOURCE_SHAPE,
  ...WORK_SHAPE,
  name: text,
  kind: oneOf(['model', 'prefix']),
}

/**
 * Models and prefixes in the browser's storage (the origin private file system), so that they are downloaded once.
 * Several tabs can use it at a time: work on an item that another tab is working on fails with `busy.stored-item`.
 *
 * ```ts
 * const store = await ModelStore.open()
 * await store.download('hf:owner/chatglm3-6b-int4', { name: 'chatglm3-6b' })
 * const model = await loadModelInWorker(store.source('chatglm3-6b'))
 * ```
 */
export class ModelStore {
  readonly #root: FileSystemDirectoryHandle

  private constructor(root: FileSystemDirectoryHandle) {
    this.#root = root
  }

  /** @throws `store.unavailable` in a private window, in an old browser, and outside https */
  static async open(options: StoreOptions = {}): Promise<ModelStore> {
    checkOptions(OPEN_SHAPE, options)
    const { root } = options
    if (root) return new ModelStore(root)
    if (typeof navigator === 'undefined' || !navigator.storage?.getDirectory) {
      throw storeUnavailable('the browser offers no private file system here')
    }
    try {
      const folder = await navigator.storage.getDirectory()
      return new ModelStore(await folder.getDirectoryHandle(FOLDER, { create: true }))
    } catch (error) {
      throw storeUnavailable(`the browser refuses (${(error as Error).message})`, { cause: error })
    }
  }

  /** What there is, whole or not, in the order in which it was begun. */
  async list(): Promise<StoredItem[]> {
    const items: StoredItem[] = []
    for await (const [folder, handle] of this.#root.entries()) {
      const name = handle.kind === 'directory' ? itemName(folder) : undefined
      const item = name === undefined ? undefined : await new ItemFolder(this.#root, name).describe()
      if (item) items.push(item)
    }
    return items.sort((a, b) => a.addedAt - b.addedAt)
  }

  /**
   * Stores a model or a prefix from anywhere. A download that was interrupted goes on at the byte where it broke when
   * it is called again with the same name and source. Files are hashed as they come and compared with the manifest, or
   * with what the hub says of them; one that is damaged is fetched again alone.
   *
   * @throws `busy.stored-item` where another tab is at it, `store.quota`, `checkpoint.manifest-mismatch` where the source itself
   *   is damaged, the signal's reason, and what reading the source throws
   */
  async download(source: SourceLocation, given: DownloadOptions): Promise<StoredItem> {
    checkArgument('source', SOURCE_PLACE, source)
    checkOptions(DOWNLOAD_SHAPE, given)
    const { name, kind = 'model', ...options } = given
    const folder = this.#folder(name)
    const { onProgress, signal, ...sourceOptions } = options
    signal?.throwIfAborted()
    const request = { kind, origin: originOf(source) }
    if (hasWorkers()) {
      const packed = await packSource(source)
      const place = { root: this.#root, item: name }
      await inWorker(signal, (host) =>
        host.download(place, packed, sourceOptions, request, onProgress && proxy(onProgress)),
      )
    } else {
      const opened = await openSource(source, sourceOptions)
      await withItemLock(name, () => download(folder, opened, request, options))
    }
    return (await folder.describe())!
  }

  /** Stores files of the user's disk. Errors as `download`. */
  async add(
    name: string,
    files: Iterable<File>,
    kind: StoredKind,
    options: StoreWorkOptions = {},
  ): Promise<StoredItem> {
    checkOptions(WORK_SHAPE, options)
    return this.download(listFiles(files), { name, kind, ...options })
  }

  /**
   * Hashes an item's files again. Damaged ones count as missing from then on, and the next `download` fetches them
   * alone.
   * @returns the item, and the paths of the files that were damaged
   * @throws `store.not-found`, `busy.stored-item`, the signal's reason
   */
  async verify(
    name: string,
    options: StoreWorkOptions = {},
  ): Promise<{ readonly item: StoredItem; readonly damaged: readonly string[] }> {
    checkOptions(WORK_SHAPE, options)
    const folder = this.#folder(name)
    const { onProgress, signal } = options
    signal?.throwIfAborted()
    const damaged = hasWorkers()
      ? await inWorker(signal, (host) =>
          host.verify({ root: this.#root, item: name }, onProgress && proxy(onProgress)),
        )
      : await withItemLock(name, () => verify(folder, options))
    return { item: (await folder.describe())!, damaged }
  }

  /** @throws `store.not-found`, `busy.stored-item` where it is being read or changed */
  async delete(name: string): Promise<void> {
    const folder = this.#folder(name)
    await withItemLock(name, async () => {
      try {
        await folder.remove()
      } catch (error) {
        if (isNotFound(error)) throw notStored(name)
        throw isLocked(error) ? itemBusy(name, { cause: error }) : error
      }
    })
  }

  /** Deletes everything. @throws `busy.stored-item` where some of it is being read or changed; the rest is deleted */
  async deleteAll(): Promise<void> {
    const ends = await Promise.allSettled((await this.list()).map(({ name }) => this.delete(name)))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
  }

  /**
   * An item as a source for `loadModel`, `loadModelInWorker` and `loadPrefix`. They throw `store.not-found` or
   * `store.incomplete` where it is not there; a worker reads it several times faster than a page.
   */
  source(name: string): SourceOpener {
    this.#folder(name)
    return new StoredLocation(this.#root, name)
  }

  /**
   * An item as the `output` of `finetunePrefix` of a model in a worker: its prefix, with the checkpoints that a training
   * can go on from. It is a whole item once the training has ended, or was stopped with a checkpoint.
   */
  output(name: string): StoredOutput {
    this.#folder(name)
    return new StoredOutput(this.#root, name)
  }

  /** @throws `store.unavailable` where the browser does not tell */
  async usage(): Promise<StoreUsage> {
    const { storage } = navigator
    if (!storage?.estimate) throw storeUnavailable('the browser does not tell its use')
    const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([storage.estimate(), storage.persisted()])
    return { used: usage, quota, persisted }
  }

  /** Asks the browser to keep everything also when the disk gets full. @returns whether it does */
  async persist(): Promise<boolean> {
    return (await navigator.storage?.persist?.()) ?? false
  }

  #folder(name: string): ItemFolder {
    if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME) {
      throw invalidOption('name', name, `a name of 1 to ${MAX_NAME} characters`)
    }
    // A folder's name that was cut would not tell the item's.
    if (itemName(folderName(name)) !== name) {
      throw invalidOption('name', name, 'a shorter name: outside ASCII, at most about 28 characters')
    }
    return new ItemFolder(this.#root, name)
  }
}

/** Whether this is a page: in a worker, and outside the browser, the work is done where it is asked for. */
function hasWorkers(): boolean {
  return typeof Worker !== 'undefined' && typeof document !== 'undefined'
}

/** Runs work in a worker of its own, where files can be written in place and hashing holds nobody up. */
async function inWorker<T>(
  signal: AbortSignal | undefined,
  question: Question<StoreHost, Outcome<T>>,
): Promise<T> {
  const name = 'chatglm-store'
  const worker = await startWorker(
    name,
    () => new Worker(new URL('./store-worker.js', import.meta.url), { type: 'module', name }),
  )
  const line = new WorkerLine<StoreHost>(worker)
  try {
    return await line.call(signal, question)
  } finally {
    line.end(disposed('store worker'))
    worker.terminate()
  }
}

/** What to say where something came from, and to keep: no secret of an address stays on the disk. */
function originOf(source: SourceLocation): string {
  if (typeof source === 'string' || source instanceof URL) return keptUrl(source)
  if (Symbol.iterator in source)
    return listFiles(source)
      .map(({ name }) => name)
      .join(', ')
  return source.name
}
