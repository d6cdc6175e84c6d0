import type { StoredItem, StoredKind } from './types.js'

/** A file of a stored item. */
export interface FileRecord {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** Lower-case hexadecimal: what it must be where that is known, else what it was when it was stored. */
  readonly sha256?: string
  /** Whether all of it is there and was verified. */
  readonly done: boolean
}

/** What the store keeps beside the files of an item, as `item.json`. */
export interface ItemRecord {
  readonly version: 1
  readonly name: string
  readonly kind: StoredKind
  readonly source: string
  readonly addedAt: number
  readonly files: readonly FileRecord[]
}

/** Whether every file of an item is there. */
export function isComplete({ files }: ItemRecord): boolean {
  return files.length > 0 && files.every(({ done }) => done)
}

/** Reads `item.json`; undefined where it is damaged, as after a crash in the middle of writing it. */
export function parseItemRecord(text: string): ItemRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<ItemRecord> | null
    const isWhole =
      record?.version === 1 &&
      typeof record.name === 'string' &&
      (record.kind === 'model' || record.kind === 'prefix') &&
      typeof record.source === 'string' &&
      typeof record.addedAt === 'number' &&
      Array.isArray(record.files) &&
      record.files.every(
        (file) =>
          typeof file?.path === 'string' && Number.isSafeInteger(file.size) && typeof file.done === 'boolean',
      )
    return isWhole ? (record as ItemRecord) : undefined
  } catch {
    return undefined
  }
}

/** What the store tells of an item. @param partialBytes the bytes of files that are not done */
export function storedItem(record: ItemRecord, partialBytes: number): StoredItem {
  const { name, kind, source, addedAt, files } = record
  const sum = (some: readonly FileRecord[]) => some.reduce((total, { size }) => total + size, 0)
  const bytes = sum(files.filter(({ done }) => done)) + partialBytes
  return { name, kind, source, bytes, totalBytes: sum(files), complete: isComplete(record), addedAt }
}
