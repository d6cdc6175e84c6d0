import { type ProxyMarked, type ProxyMethods, releaseProxy } from 'comlink'
import { openSource, type SourceOptions } from '../../checkpoint/index.js'
import { type Outcome, wrapped } from '../worker/outcome.js'
import { type PortableSource, unpackSource } from '../worker/source-transport.js'
import { type DownloadRequest, download } from './download.js'
import { ItemFolder } from './item-folder.js'
import { withItemLock } from './locks.js'
import type { StoreProgress, StoreWorkOptions } from './types.js'
import { verify } from './verify.js'

/** Where an item lies. */
export interface ItemPlace {
  readonly root: FileSystemDirectoryHandle
  readonly item: string
}

type Listener = (((progress: StoreProgress) => void) & ProxyMarked & Partial<ProxyMethods>) | undefined

/** The side of the worker: the long work of a store, one at a time. */
export class StoreHost {
  readonly #abort = new AbortController()

  download(
    { root, item }: ItemPlace,
    source: PortableSource,
    sourceOptions: SourceOptions,
    request: DownloadRequest,
    onProgress: Listener,
  ): Promise<Outcome<void>> {
    return this.#run(item, onProgress, async (options) =>
      download(
        new ItemFolder(root, item),
        await openSource(unpackSource(source), sourceOptions),
        request,
        options,
      ),
    )
  }

  verify({ root, item }: ItemPlace, onProgress: Listener): Promise<Outcome<readonly string[]>> {
    return this.#run(item, onProgress, (options) => verify(new ItemFolder(root, item), options))
  }

  abort(): void {
    this.#abort.abort()
  }

  #run<T>(
    item: string,
    onProgress: Listener,
    work: (options: StoreWorkOptions) => Promise<T>,
  ): Promise<Outcome<T>> {
    const { signal } = this.#abort
    const options = onProgress
      ? { signal, onProgress: (progress: StoreProgress) => onProgress(progress) }
      : { signal }
    return wrapped(() => withItemLock(item, () => work(options))).finally(() =>
      onProgress?.[releaseProxy]?.(),
    )
  }
}
