import { type ByteSink, DirectoryHandleFiles, hashFile } from '../../checkpoint/index.js'
import { SinkError } from '../../errors/index.js'
import { ItemFolder } from './item-folder.js'
import type { FileRecord, ItemRecord } from './item-record.js'
import { withItemLock } from './locks.js'

/** What `source` says of an item that a training wrote. */
const TRAINING = 'training'
const PREFIX = 'model.safetensors'

/** A stored item as the place that a training writes its prefix and its checkpoints to. */
export class StoredOutput {
  readonly root: FileSystemDirectoryHandle
  readonly name: string

  constructor(root: FileSystemDirectoryHandle, name: string) {
    this.root = root
    this.name = name
  }

  /**
   * Runs a training that writes to the item's files, and notes at its end what it has left, also where it failed. Until then
   * the item counts as not complete, and other tabs leave it alone.
   * @throws `busy.stored-item`, `sink.failed` where the name belongs to something else, and what the training throws
   */
  run<T>(training: (files: ByteSink) => Promise<T>): Promise<T> {
    const folder = new ItemFolder(this.root, this.name)
    return withItemLock(this.name, async () => {
      const before = await folder.record()
      if (before && before.source !== TRAINING) {
        throw new SinkError(
          'sink.occupied',
          `"${this.name}" is stored already and is no training: choose another name.`,
        )
      }
      const addedAt = before?.addedAt ?? Date.now()
      const common = { version: 1, name: this.name, kind: 'prefix', source: TRAINING } as const
      const record: ItemRecord = { ...common, addedAt, files: [] }
      await folder.writeRecord(record)
      const handle = await folder.files(true)
      const files = new DirectoryHandleFiles(handle, this.name)
      const noteAll = async () => note(folder, record, files, await pathsIn(handle))
      try {
        const result = await training(files)
        await noteAll()
        return result
      } catch (error) {
        // What ended the training is what the caller must hear; without a note the item stays incomplete.
        await noteAll().catch(() => {})
        throw error
      }
    })
  }
}

/** Writes down the files that there are. Without a prefix there is nothing to keep but checkpoints, if any. */
async function note(
  folder: ItemFolder,
  record: ItemRecord,
  sink: ByteSink,
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return folder.remove()
  if (!paths.includes(PREFIX)) return
  const files: FileRecord[] = []
  for (const path of paths) {
    files.push({ path, size: await sink.size(path), sha256: await hashFile(sink, path), done: true })
  }
  await folder.writeRecord({ ...record, files })
}

async function pathsIn(folder: FileSystemDirectoryHandle, before = ''): Promise<string[]> {
  const paths: string[] = []
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === 'directory') paths.push(...(await pathsIn(handle, `${before}${name}/`)))
    else paths.push(before + name)
  }
  return paths
}
