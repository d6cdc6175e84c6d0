/** Where measured times are kept in Node: a JSON file in the user's cache folder. Node only. */
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { TuningStore } from '../tuning-store.js'

/** @param path of the file */
export function tuningFile(path: string): TuningStore {
  return {
    location: path,
    read: () => readFile(path, 'utf8'),
    async write(text) {
      await mkdir(dirname(path), { recursive: true })
      const fresh = `${path}-${randomUUID()}`
      try {
        await writeFile(fresh, text)
        // Another process reads the old file or the new one, never half of one.
        await rename(fresh, path)
      } catch (error) {
        await rm(fresh, { force: true })
        throw error
      }
    },
  }
}
