import {
  type ByteSource,
  createSha256,
  type ListedFile,
  listCheckpoint,
  type Sha256,
} from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import { quotaExceeded } from './errors.js'
import { type FileWriter, openWriter } from './file-writer.js'
import type { ItemFolder } from './item-folder.js'
import type { FileRecord, ItemRecord } from './item-record.js'
import { ProgressReporter } from './progress-reporter.js'
import type { StoredKind, StoreWorkOptions } from './types.js'

/** What is to be stored. */
export interface DownloadRequest {
  readonly kind: StoredKind
  /** What to say where it came from. */
  readonly origin: string
}

/** Bytes read at a time from a source that has no streams: a file of the user's disk, for instance. */
const CHUNK = 8 * 2 ** 20
/** A file that is wrong a second time is wrong where it comes from. */
const FETCHES = 2

/**
 * Stores what a source has, file by file. What an earlier, interrupted download of the same files left is continued at
 * the byte where it broke; a file whose SHA-256 is wrong is fetched once more, alone. The caller holds the item's lock.
 *
 * @throws `store.quota`, `checkpoint.manifest-mismatch`, the signal's reason, and what the source throws
 */
export async function download(
  folder: ItemFolder,
  source: ByteSource,
  request: DownloadRequest,
  { onProgress, signal }: StoreWorkOptions,
): Promise<void> {
  const listed = await listCheckpoint(source, signal)
  const progress = new ProgressReporter(sizeOf(listed), onProgress)
  try {
    await fetchFiles(folder, source, await begin(folder, request, listed), progress, signal)
  } catch (error) {
    if ((error as Error).name !== 'QuotaExceededError') throw error
    throw quotaExceeded(folder.item, progress.leftBytes, (await availableBytes()) ?? 0, {
      cause: error,
    })
  }
  progress.end()
}

function sizeOf(files: readonly { readonly size: number }[]): number {
  return files.reduce((total, { size }) => total + size, 0)
}

/** The record of a download that begins or goes on. What is there of files that are others now is removed. */
async function begin(
  folder: ItemFolder,
  { kind, origin }: DownloadRequest,
  listed: readonly ListedFile[],
): Promise<ItemRecord> {
  const before = await folder.record()
  const kept = new Map<string, FileRecord>()
  for (const file of listed) {
    const old = before?.files.find(({ path }) => path === file.path)
    if (old?.size !== file.size) continue
    // Without hashes to compare, the same size from the same place must do.
    const isSame = file.sha256 && old.sha256 ? file.sha256 === old.sha256 : before?.source === origin
    if (isSame) kept.set(file.path, { ...old, ...file })
  }
  for (const { path } of before?.files ?? []) if (!kept.has(path)) await folder.removeFile(path)
  const files = listed.map((file) => kept.get(file.path) ?? { ...file, done: false })
  const addedAt = before?.addedAt ?? Date.now()
  const record: ItemRecord = { version: 1, name: folder.item, kind, source: origin, addedAt, files }
  await folder.writeRecord(record)
  return record
}

async function fetchFiles(
  folder: ItemFolder,
  source: ByteSource,
  begun: ItemRecord,
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing = begun.files.filter(({ done }) => !done)
  progress.add(sizeOf(begun.files) - sizeOf(missing))
  let needed = sizeOf(missing)
  for (const { path } of missing) needed -= await folder.size(path)
  await checkSpace(folder.item, needed)
  let record = begun
  for (const file of missing) {
    progress.begin(file.path)
    const sha256 = await fetchFile(folder, source, file, progress, signal)
    const files = record.files.map((other) => (other === file ? { ...file, sha256, done: true } : other))
    record = { ...record, files }
    await folder.writeRecord(record)
  }
}

/** Fetches what is missing of a file, and all of it once more if it is wrong then. @returns its SHA-256 */
async function fetchFile(
  folder: ItemFolder,
  source: ByteSource,
  file: FileRecord,
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<string> {
  const writer = await openWriter(await folder.file(file.path, true))
  let isWhole = false
  try {
    for (let fetches = 0; fetches < FETCHES; fetches++) {
      if (fetches > 0 || writer.size > file.size) await writer.restart()
      const hash = await createSha256()
      for await (const chunk of writer.chunks()) hash.update(chunk)
      progress.add(writer.size)
      await append(writer, hash, source, file, progress, signal)
      const sha256 = hash.digest()
      isWhole = file.sha256 === undefined || file.sha256 === sha256
      if (isWhole) return sha256
      progress.add(-file.size)
    }
    await writer.restart()
    throw new CheckpointError(
      'checkpoint.manifest-mismatch',
      `${file.path} of ${source.name} was downloaded ${FETCHES} times and differs from the SHA-256 that is given for it. ` +
        'The copy there is damaged: use another source, or tell whoever keeps it.',
      { details: { mismatches: [{ path: file.path, problem: `has another SHA-256 than ${file.sha256}` }] } },
    )
  } finally {
    // What is there stays, to go on from. A failure before says more than one of closing.
    await writer.close().catch((error) => {
      if (isWhole) throw error
    })
  }
}

async function append(
  writer: FileWriter,
  hash: Sha256,
  source: ByteSource,
  { path, size }: FileRecord,
  progress: ProgressReporter,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const chunk of chunksOf(source, path, writer.size, size, signal)) {
    signal?.throwIfAborted()
    await writer.append(chunk)
    hash.update(chunk)
    progress.receive(chunk.byteLength)
  }
}

async function* chunksOf(
  source: ByteSource,
  path: string,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (start === end) return
  if (source.stream) return yield* source.stream(path, start, end, signal)
  for (let at = start; at < end; at += CHUNK) {
    yield await source.read(path, at, Math.min(at + CHUNK, end), signal)
  }
}

/** @throws `store.quota` where the browser already knows that there is too little space */
async function checkSpace(item: string, needed: number): Promise<void> {
  const available = await availableBytes()
  if (available !== undefined && needed > available) throw quotaExceeded(item, needed, available)
}

/** What the browser still grants this origin; undefined where it does not tell. */
async function availableBytes(): Promise<number | undefined> {
  const { quota, usage } = (await globalThis.navigator?.storage?.estimate?.()) ?? {}
  return quota === undefined ? undefined : Math.max(0, quota - (usage ?? 0))
}
