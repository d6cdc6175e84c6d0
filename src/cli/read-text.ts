import { access, constants, readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Option } from 'commander'
import type { TextEncodingName } from '../finetune.js'
import { CommandError } from './errors.js'
import type { Io } from './io.js'
import type { Library } from './library.js'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk can only be read',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  ENAMETOOLONG: 'its name is too long',
}

/** A failure of the file system, in words. */
export function fileError(error: unknown, what: string): CommandError {
  const { code = '', message } = error as NodeJS.ErrnoException
  return new CommandError(`Cannot ${what}: ${REASONS[code] ?? message}.`)
}

/** How texts of the user are written as bytes. */
export interface TextFlags {
  readonly encoding?: TextEncodingName
}

export function encodingOption(): Option {
  return new Option('--encoding <name>', 'how its text is written (default: utf-8)').choices([
    'utf-8',
    'gb18030',
  ])
}

/**
 * The text of a file that the user named.
 * @throws CommandError where it cannot be read, `input.encoding` naming the line where it is no text
 */
export async function readText(
  library: Library,
  path: string,
  { encoding }: TextFlags = {},
): Promise<string> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(error, `read ${path}`)
  })
  return library.decodeText(bytes, path, encoding)
}

/** The text that comes by a pipe. @throws `input.encoding` naming the line where it is no text */
export async function readPipe(
  loadLibrary: () => Promise<Library>,
  { stdin }: Io,
  { encoding }: TextFlags = {},
): Promise<string> {
  const bytes = await buffer(stdin)
  return bytes.length === 0 ? '' : (await loadLibrary()).decodeText(bytes, 'stdin', encoding)
}

/**
 * Finds out before any work whether a folder can be written to. Nothing is made: a command that fails for another
 * reason leaves nothing behind.
 * @throws CommandError with the reason
 */
export async function checkOutputFolder(path: string): Promise<void> {
  const failure = (error: unknown) => {
    throw fileError(error, `write to ${path}`)
  }
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') failure(error)
      return undefined
    })
    if (!found) continue
    if (!found.isDirectory()) throw new CommandError(`Cannot write to ${path}: ${folder} is a file.`)
    await access(folder, constants.W_OK).catch(failure)
    return
  }
}
