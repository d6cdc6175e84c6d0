import { invalidOption, lookAt, SinkError, SourceError } from '../errors/index.js'
import { isNode, type PlatformClass } from '../platform/index.js'
import { checkArgument, checkOptions, number, type OptionShape, opaque, text, z } from '../schema/index.js'
import { listCheckpoint } from './listing.js'
import type { ByteSink } from './sinks/byte-sink.js'
import { DirectoryHandleFiles } from './sinks/directory-handle.js'
import type { ByteSource } from './sources/byte-source.js'
import { FileListSource } from './sources/file-list-source.js'
import { type HttpOptions, HttpSource } from './sources/http-source.js'
import { HUB_NAMES, type HubEndpoints, HubSource } from './sources/hub-source.js'
import { isAddress, showUrl, trimAddress } from './sources/show-url.js'

/** A place that first has to be opened, such as an item of the browser's storage. */
export interface SourceOpener {
  /** What to call the place in messages. */
  readonly name: string
  open(): Promise<ByteSource>
}

/** A folder of a browser: chosen by its user, or in the private file system of the origin. */
export type DirectoryHandle = PlatformClass<'FileSystemDirectoryHandle'>

/**
 * What a checkpoint can be read from: the path of a folder or file (in the browser: relative to the page), a
 * URL, `hf:owner/name` or `modelscope:owner/name` (a revision may follow, as in `hf:owner/name@main`), chosen files,
 * a directory handle, an item of a store, or a source of one's own.
 */
export type SourceLocation = string | URL | Iterable<File> | DirectoryHandle | SourceOpener | ByteSource

/** What a checkpoint can be written to: the path of a folder, a directory handle, or a sink of one's own. */
export type SinkLocation = string | URL | DirectoryHandle | ByteSink

export interface SourceOptions extends HttpOptions {
  /** Servers for `hf:` and `modelscope:`, for mirrors; the official ones by default. */
  readonly endpoints?: HubEndpoints
}

/** What each of them takes. */
export const SOURCE_SHAPE: OptionShape<SourceOptions> = {
  endpoints: z.strictObject(Object.fromEntries(HUB_NAMES.map((name) => [name, z.optional(text)])), {
    error: `addresses of ${HUB_NAMES.join(' and ')}`,
  }),
  // A timer takes no more milliseconds.
  stallTimeout: number((value) => value > 0 && value < 2 ** 31, 'milliseconds, above 0 and below 2^31'),
}

const READING = ['list', 'has', 'size', 'read'] as const
const WRITING = [...READING, 'create', 'remove'] as const

/** Whether something is a source or a sink of somebody's own. */
function hasMethods(value: object, names: readonly string[]): boolean {
  const one = value as Readonly<Record<string, unknown>>
  return typeof one.name === 'string' && names.every((name) => typeof one[name] === 'function')
}

/** Whether something is a place for `openSource`. */
export function isSourcePlace(value: unknown): value is SourceLocation {
  if (typeof value === 'string') return true
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof URL || Symbol.iterator in value || isDirectoryHandle(value)) return true
  return hasMethods(value, ['open']) || hasMethods(value, READING)
}

export const SOURCE_PLACE = opaque<SourceLocation>(
  isSourcePlace,
  'a path, a URL, files, a directory handle or a source',
)

/** The places of `openSink`. */
export const SINK_PLACE = opaque<SinkLocation>((value) => {
  if (typeof value === 'string') return value !== ''
  if (typeof value !== 'object' || value === null) return false
  return value instanceof URL || isDirectoryHandle(value) || hasMethods(value, WRITING)
}, 'the path of a folder, a directory handle or a sink')

/** Folders of models have dozens. */
const MOST_FILES = 100_000

/** @throws `option.invalid` for anything but files */
export function listFiles(files: Iterable<File>): File[] {
  const refuse = () => invalidOption('files', files, `a list of at most ${MOST_FILES} files`)
  return lookAt(refuse, () => {
    const list: File[] = []
    for (const file of files) {
      const isFile = typeof file?.name === 'string' && typeof file.slice === 'function'
      if (!isFile || list.length === MOST_FILES) throw refuse()
      list.push(file)
    }
    return list
  })
}

/**
 * Opens the place that a checkpoint is read from.
 *
 * @throws `source.not-found` where there is no such place, `option.invalid` for what is no place, and a stall timeout that
 *   is none
 */
export async function openSource(location: SourceLocation, options: SourceOptions = {}): Promise<ByteSource> {
  const { endpoints, stallTimeout } = options
  checkOptions(SOURCE_SHAPE, { endpoints, stallTimeout })
  checkArgument('source', SOURCE_PLACE, location)
  if (typeof location === 'string') return openNamedSource(trimAddress(location), options)
  if (location instanceof URL)
    return location.protocol === 'file:' ? openFolder(location) : new HttpSource(location, options)
  if (Symbol.iterator in location) return new FileListSource(listFiles(location))
  if (isDirectoryHandle(location)) return new DirectoryHandleFiles(location)
  return 'open' in location ? location.open() : location
}

/**
 * Opens the place that a checkpoint is written to.
 *
 * @throws `sink.failed` where it cannot be written to, `option.invalid` for what is no place
 */
export async function openSink(location: SinkLocation): Promise<ByteSink> {
  checkArgument('destination', SINK_PLACE, location)
  if (typeof location === 'string' || location instanceof URL) {
    const isUrl = location instanceof URL ? location.protocol !== 'file:' : isAddress(trimAddress(location))
    if (isNode && !isUrl) return (await import('./node/folder-sink.js')).FolderSink.open(location)
    throw new SinkError(
      'sink.failed',
      `Cannot write to ${showUrl(location)}: give ${isNode ? 'the path of a folder' : 'a directory handle'}.`,
    )
  }
  return isDirectoryHandle(location) ? new DirectoryHandleFiles(location) : location
}

async function openNamedSource(location: string, options: SourceOptions): Promise<ByteSource> {
  const hub = HubSource.parse(location, options.endpoints, options)
  if (hub) return (await openCached(hub, options)) ?? hub
  if (/^(https?|file):/i.test(location)) {
    if (!URL.canParse(location))
      throw new SourceError('source.not-found', `${showUrl(location)} is no valid URL.`)
    return openSource(new URL(location), options)
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(location)) {
    throw new SourceError(
      'source.not-found',
      `${showUrl(location)} is an address of a kind that is not read: give one of http, https or file, a path, or hf:owner/name.`,
    )
  }
  if (isNode) return openFolder(location)
  const base = globalThis.location?.href
  if (base === undefined || !URL.canParse(location, base)) {
    throw new SourceError(
      'source.not-found',
      `Cannot open ${showUrl(location)}: give a URL, files or a directory handle.`,
    )
  }
  return new HttpSource(new URL(location, base), options)
}

/** The files of a repository in the cache of Hugging Face's tools, where a checkpoint is there whole. */
async function openCached(hub: HubSource, { endpoints }: SourceOptions): Promise<ByteSource | undefined> {
  if (!isNode || !hub.cached || endpoints?.hf !== undefined) return undefined
  const snapshot = await (await import('./node/hub-cache.js')).cachedSnapshot(hub.cached)
  if (snapshot === undefined) return undefined
  try {
    const source = await openFolder(snapshot)
    await listCheckpoint(source)
    return source
  } catch {
    return undefined
  }
}

async function openFolder(location: string | URL): Promise<ByteSource> {
  if (isNode) return (await import('./node/folder-source.js')).FolderSource.open(location)
  throw new SourceError(
    'source.not-found',
    `A page cannot open ${showUrl(location)}: give files or a directory handle.`,
  )
}

function isDirectoryHandle(value: object): value is DirectoryHandle {
  return 'kind' in value && value.kind === 'directory' && 'getFileHandle' in value
}
