import { open, readFile, stat, truncate } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { CommandError } from './errors.js'
import type { Io } from './io.js'
import { fileError, readText } from './read-text.js'
import { checkWritten, type InputRecord } from './records.js'

/** The name that stands for stdin or stdout. */
export const STANDARD_STREAM = '-'

/** The whole input. */
export async function readInput(path: string, io: Io): Promise<string> {
  if (path === STANDARD_STREAM) return text(io.stdin)
  return readText(path)
}

/** Where generated records go, in the order of the input. */
export interface RecordSink {
  /** Records that an earlier run wrote. */
  readonly before: number
  /** Writes whole lines. */
  write(lines: readonly string[]): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the output. A line that an earlier run left incomplete is removed.
 * @param resume whether to continue a file that is there
 * @throws CommandError where a file is in the way, or belongs to another input
 */
export async function openOutput(
  path: string,
  records: readonly InputRecord[],
  resume: boolean,
  io: Io,
): Promise<RecordSink> {
  if (path === STANDARD_STREAM) {
    return {
      before: 0,
      write: async (lines) => void io.stdout.write(joined(lines)),
      close: async () => {},
    }
  }
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  if (size > 0 && !resume) {
    throw new CommandError(`${path} exists already. Add --resume to continue it, or name another file.`)
  }
  let before = 0
  if (size > 0) {
    const bytes = await readFile(path)
    const end = bytes.lastIndexOf(0x0a) + 1
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1)
    checkWritten(lines, records, path)
    if (end < bytes.length) await truncate(path, end)
    before = lines.length
  }
  const file = await open(path, 'a').catch((error: unknown) => {
    throw fileError(error, `write ${path}`)
  })
  return {
    before,
    async write(lines) {
      await file.appendFile(joined(lines)).catch((error: unknown) => {
        throw fileError(error, `write ${path}`)
      })
    },
    close: () => file.close(),
  }
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('')
}
