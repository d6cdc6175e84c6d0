import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { CommandError } from './errors.js'
import type { Io } from './io.js'
import type { Library } from './library.js'
import { fileError } from './read-text.js'
import { checkWritten, type InputRecord } from './records.js'

/** The name that stands for stdin or stdout. */
export const STANDARD_STREAM = '-'

/** Where generated records go, in the order of the input. */
export interface RecordSink {
  /** Records that an earlier run wrote. */
  readonly before: number
  /** Indexes of those among them that have no answer. */
  readonly failed: readonly number[]
  /** Writes whole lines behind the last one. */
  write(lines: readonly string[]): Promise<void>
  /** Writes lines in the place of others, by their index. */
  replace(lines: ReadonlyMap<number, string>): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the output. A line that an earlier run left incomplete is removed.
 * @param resume whether to continue a file that is there
 * @throws CommandError where a file is in the way, or belongs to another input
 */
export async function openOutput(
  library: Library,
  path: string,
  records: readonly InputRecord[],
  resume: boolean,
  io: Io,
): Promise<RecordSink> {
  if (path === STANDARD_STREAM) {
    return {
      before: 0,
      failed: [],
      write: async (lines) => void io.stdout.write(joined(lines)),
      replace: async () => {},
      close: async () => {},
    }
  }
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  if (size > 0 && !resume) {
    throw new CommandError(`${path} exists already. Add --resume to continue it, or name another file.`)
  }
  let written: string[] = []
  let failed: number[] = []
  const failure = (error: unknown) => {
    throw fileError(error, `write ${path}`)
  }
  if (size > 0) {
    const bytes = await readFile(path)
    const end = bytes.lastIndexOf(0x0a) + 1
    written = library.decodeText(bytes.subarray(0, end), path).split('\n').slice(0, -1)
    failed = checkWritten(library, written, records, path)
    if (end < bytes.length) await truncate(path, end).catch(failure)
  }
  let file = await open(path, 'a').catch(failure)
  return {
    before: written.length,
    failed,
    async write(lines) {
      written.push(...lines)
      await file.appendFile(joined(lines)).catch(failure)
    },
    async replace(lines) {
      for (const [index, line] of lines) written[index] = line
      const partial = `${path}.partial`
      try {
        await writeFile(partial, joined(written))
        await file.close()
        await rename(partial, path)
        file = await open(path, 'a')
      } catch (error) {
        await rm(partial, { force: true })
        failure(error)
      }
    },
    close: () => file.close(),
  }
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
