import { createSha256 } from '../../checkpoint/index.js'
import { notStored } from './errors.js'
import { openWriter } from './file-writer.js'
import type { ItemFolder } from './item-folder.js'
import { ProgressReporter } from './progress-reporter.js'
import type { StoreWorkOptions } from './types.js'

/**
 * Hashes the files of an item again. Damaged ones are noted as missing, so that the next download fetches them alone.
 * The caller holds the item's lock.
 * @returns the paths of the damaged files
 */
export async function verify(
  folder: ItemFolder,
  { onProgress, signal }: StoreWorkOptions,
): Promise<readonly string[]> {
  const record = await folder.record()
  if (!record) throw notStored(folder.item)
  const stored = record.files.filter(({ done }) => done)
  const progress = new ProgressReporter(
    stored.reduce((total, { size }) => total + size, 0),
    onProgress,
  )
  const damaged: string[] = []
  for (const { path, size, sha256 } of stored) {
    progress.begin(path)
    const writer = await openWriter(await folder.file(path, true))
    try {
      const hash = await createSha256()
      for await (const chunk of writer.chunks()) {
        signal?.throwIfAborted()
        hash.update(chunk)
        progress.add(chunk.byteLength)
      }
      if (writer.size === size && hash.digest() === sha256) continue
      damaged.push(path)
      await writer.restart()
    } finally {
      await writer.close()
    }
  }
  if (damaged.length > 0) {
    const files = record.files.map((file) => (damaged.includes(file.path) ? { ...file, done: false } : file))
    await folder.writeRecord({ ...record, files })
  }
  progress.end()
  return damaged
}
