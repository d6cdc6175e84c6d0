import { readFile } from 'node:fs/promises'
import { CommandError } from './errors.js'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  ENOSPC: 'the disk is full',
}

/** A failure of the file system, in words. */
export function fileError(error: unknown, what: string): CommandError {
  const { code = '', message } = error as NodeJS.ErrnoException
  return new CommandError(`Cannot ${what}: ${REASONS[code] ?? message}.`)
}

/** The text of a file that the user named. */
export function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw fileError(error, `read ${path}`)
  })
}
