import { userCacheFolder } from '../../../gpu/index.js'
import { isNode } from '../../../platform/index.js'

/** Where measured times are kept from one load to the next. */
export interface TuningStore {
  /** For people: where the text is. */
  readonly location: string
  /** The text last written; undefined or an error where there is none. */
  read(): Promise<string | undefined>
  write(text: string): Promise<void>
}

const CACHE = 'chatglm-webgpu'
/** Caches hold answers to requests; this one is never sent. */
const REQUEST = 'https://chatglm-webgpu.invalid/tuning.json'

/** In browsers: the cache storage of the origin, which workers have, too. */
export function tuningCache(caches: Pick<CacheStorage, 'open'>): TuningStore {
  return {
    location: `cache storage "${CACHE}"`,
    read: async () => (await (await caches.open(CACHE)).match(REQUEST))?.text(),
    write: async (text) => (await caches.open(CACHE)).put(REQUEST, new Response(text)),
  }
}

/** The store of this platform: a file of the user's in Node, the origin's cache storage in browsers. */
export async function platformTuningStore(): Promise<TuningStore | undefined> {
  if (isNode) {
    const { tuningFile } = await import('./node/tuning-file.js')
    return tuningFile(`${await userCacheFolder()}/tuning.json`)
  }
  return typeof caches === 'undefined' ? undefined : tuningCache(caches)
}
