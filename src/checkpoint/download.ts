import { CheckpointError, invalidOption } from '../errors/index.js'
import { isNode } from '../platform/index.js'
import { signal as abortSignal, callback, checkOptions, type OptionShape } from '../schema/index.js'
import { type ListedFile, listCheckpoint } from './listing.js'
import {
  openSink,
  openSource,
  type SinkLocation,
  SOURCE_SHAPE,
  type SourceLocation,
  type SourceOptions,
} from './open-files.js'
import { findClash } from './portable-names.js'
import type { Progress } from './progress.js'
import { createSha256, hashFile } from './sha256.js'
import type { ByteSink } from './sinks/byte-sink.js'
import { type ByteSource, DEFAULT_CHUNK_BYTES, streamRange } from './sources/byte-source.js'
import { HubSource } from './sources/hub-source.js'

export interface DownloadOptions extends SourceOptions {
  readonly onProgress?: (progress: Progress) => void
  readonly signal?: AbortSignal
}

export interface DownloadResult {
  /** Bytes of all files, those included that were there. */
  readonly bytes: number
  /** Files of the checkpoint, and those of them that were there already. */
  readonly files: number
  readonly kept: number
}

const DOWNLOAD_SHAPE: OptionShape<DownloadOptions> = {
  ...SOURCE_SHAPE,
  onProgress: callback,
  signal: abortSignal,
}

/**
 * Copies the files of a checkpoint as they are, for instance from a hub: its weights in one form, its configuration and its
 * tokenizer. Files that are there with the same size, and the same SHA-256 where the source knows it, are kept, so that a
 * download that was interrupted goes on with the file that it was at.
 *
 * @param source as for `loadModel`
 * @param destination a folder's path (Node) or a directory handle; none for a repository of Hugging Face, which goes to the
 *   cache that its own tools use, where `hf:owner/name` finds it from then on
 * @throws as `openSource` and `openSink`; `source.not-found` where there are no weights, `checkpoint.manifest-mismatch` where
 * what came has another hash, and the signal's reason
 */
export async function downloadCheckpoint(
  source: SourceLocation,
  destination?: SinkLocation,
  options: DownloadOptions = {},
): Promise<DownloadResult> {
  checkOptions(DOWNLOAD_SHAPE, options)
  if (destination === undefined) return downloadToCache(source, options)
  return download(await openSource(source, options), await openSink(destination), options)
}

/** Downloads a repository of Hugging Face into the cache of its own tools. */
async function downloadToCache(source: SourceLocation, options: DownloadOptions): Promise<DownloadResult> {
  const hub = typeof source === 'string' ? HubSource.parse(source, options.endpoints, options) : undefined
  if (!isNode || !hub?.cached) {
    throw invalidOption('destination', undefined, 'a folder, unless hf:owner/name is downloaded in Node')
  }
  const commit = await hub.commit(options.signal)
  if (commit === undefined) {
    throw invalidOption('destination', undefined, 'a folder: this server does not tell which commit it has')
  }
  const { noteRevision, snapshotFolder } = await import('./node/hub-cache.js')
  const result = await download(hub, await openSink(snapshotFolder(hub.cached, commit)), options)
  await noteRevision(hub.cached, commit)
  return result
}

async function download(
  from: ByteSource,
  to: ByteSink,
  { onProgress, signal }: DownloadOptions,
): Promise<DownloadResult> {
  const files = await listCheckpoint(from, signal)
  const clash = findClash(files.map(({ path }) => path))
  if (clash !== undefined) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${from.name} has two files whose names differ in capitals alone, ${showName(clash)} among them: on many systems they ` +
        'would be one. Rename them where they come from.',
    )
  }
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0)
  let doneBytes = 0
  const onBytes = (bytes: number) => {
    doneBytes += bytes
    onProgress?.({ stage: 'download', doneBytes, totalBytes })
  }
  let kept = 0
  for (const file of files) {
    signal?.throwIfAborted()
    if (await isThere(to, file, signal)) {
      kept++
      onBytes(file.size)
    } else await copy(from, to, file, onBytes, signal)
  }
  return { bytes: totalBytes, files: files.length, kept }
}

/** A name as messages show it. */
const showName = (name: string) => JSON.stringify(name.slice(0, 200))

async function isThere(
  to: ByteSink,
  { path, size, sha256 }: ListedFile,
  signal?: AbortSignal,
): Promise<boolean> {
  if (!(await to.has(path, signal)) || (await to.size(path, signal)) !== size) return false
  return sha256 === undefined || (await hashFile(to, path, signal && { signal })) === sha256
}

async function copy(
  from: ByteSource,
  to: ByteSink,
  { path, size, sha256 }: ListedFile,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const hash = await createSha256()
  const file = await to.create(path)
  try {
    const chunks =
      from.stream?.(path, 0, size, signal) ?? streamRange(from, path, 0, size, DEFAULT_CHUNK_BYTES, signal)
    for await (const chunk of chunks) {
      await file.write(chunk)
      hash.update(chunk)
      onBytes(chunk.byteLength)
    }
    const found = hash.digest()
    if (sha256 !== undefined && found !== sha256) {
      throw new CheckpointError(
        'checkpoint.manifest-mismatch',
        `${path} came with the SHA-256 ${found}, not ${sha256}. Download it again.`,
        { details: { mismatches: [{ path, problem: 'hash' }] } },
      )
    }
    await file.commit()
  } catch (error) {
    await file.abort()
    throw error
  }
}
