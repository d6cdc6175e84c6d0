import { portableName } from '../../checkpoint/index.js'
import { storeUnavailable } from './errors.js'
import { type ItemRecord, parseItemRecord, storedItem } from './item-record.js'
import { openSyncAccess } from './sync-access.js'
import type { StoredItem } from './types.js'

const RECORD = 'item.json'
const FILES = 'files'

/** The name of an item's folder; a dot is escaped too, so that none is `..`, hidden, or ends like a file. */
export function folderName(item: string): string {
  return portableName(item).replaceAll('.', '%2E')
}

/** The item of a folder's name; undefined for a folder that no item has. */
export function itemName(folder: string): string | undefined {
  try {
    const item = decodeURIComponent(folder)
    return folderName(item) === folder ? item : undefined
  } catch {
    return undefined
  }
}

/** Whether the browser says that an entry is not there. */
export function isNotFound(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'NotFoundError'
}

/** The folder of a stored item: `item.json`, which says what there is to be, and the files below `files/`. */
export class ItemFolder {
  readonly #root: FileSystemDirectoryHandle
  readonly item: string

  constructor(root: FileSystemDirectoryHandle, item: string) {
    this.#root = root
    this.item = item
  }

  /** The record; undefined where there is none, or a damaged one. */
  async record(): Promise<ItemRecord | undefined> {
    try {
      const folder = await this.#root.getDirectoryHandle(folderName(this.item))
      const file = await (await folder.getFileHandle(RECORD)).getFile()
      return parseItemRecord(await file.text())
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Replaces the record, at once or not at all where the browser can do that. */
  async writeRecord(record: ItemRecord): Promise<void> {
    const folder = await this.#root.getDirectoryHandle(folderName(this.item), { create: true })
    const handle = await folder.getFileHandle(RECORD, { create: true })
    const text = JSON.stringify(record)
    if (typeof handle.createWritable === 'function') {
      const writable = await handle.createWritable()
      await writable.write(text)
      await writable.close()
      return
    }
    // Safari before 26 has no other way to write. A crash in between leaves a record that is damaged and says so.
    const access = await openSyncAccess(handle, 'readwrite')
    if (!access) throw storeUnavailable('the browser cannot write files here')
    try {
      access.truncate(0)
      access.write(new TextEncoder().encode(text), { at: 0 })
      access.flush()
    } finally {
      access.close()
    }
  }

  /** The folder of the item's files. @param create whether to make it where there is none */
  async files(create = false): Promise<FileSystemDirectoryHandle> {
    const folder = await this.#root.getDirectoryHandle(folderName(this.item), { create })
    return folder.getDirectoryHandle(FILES, { create })
  }

  /** A file of the item. @param create whether to make it, and the folders to it, where there is none */
  async file(path: string, create = false): Promise<FileSystemFileHandle> {
    const parts = path.split('/').map(portableName)
    let folder = await this.files(create)
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create })
    return folder.getFileHandle(parts[parts.length - 1], { create })
  }

  /** Bytes of a file that are there; 0 where there is none. */
  async size(path: string): Promise<number> {
    try {
      return (await (await this.file(path)).getFile()).size
    } catch (error) {
      if (isNotFound(error)) return 0
      throw error
    }
  }

  async removeFile(path: string): Promise<void> {
    const parts = path.split('/').map(portableName)
    try {
      let folder = await this.files()
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part)
      await folder.removeEntry(parts[parts.length - 1])
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** Removes the item; the record goes first, so that what a crash leaves is not taken for whole. */
  async remove(): Promise<void> {
    const name = folderName(this.item)
    const folder = await this.#root.getDirectoryHandle(name)
    await folder.removeEntry(RECORD).catch((error) => {
      if (!isNotFound(error)) throw error
    })
    await this.#root.removeEntry(name, { recursive: true })
  }

  /** What the store tells of the item; undefined where there is no such folder. */
  async describe(): Promise<StoredItem | undefined> {
    const record = await this.record()
    if (!record) return (await this.#exists()) ? nothingOf(this.item) : undefined
    let partial = 0
    for (const { path, size, done } of record.files) {
      if (!done) partial += Math.min(size, await this.size(path))
    }
    return storedItem(record, partial)
  }

  async #exists(): Promise<boolean> {
    try {
      await this.#root.getDirectoryHandle(folderName(this.item))
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
}

/** An item whose record was lost: it can only be deleted, or downloaded again. */
function nothingOf(name: string): StoredItem {
  return { name, kind: 'model', source: '', bytes: 0, totalBytes: 0, complete: false, addedAt: 0 }
}
