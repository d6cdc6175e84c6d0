import { CheckpointError, invalidOption } from '../errors/index.js'

/**
 * Checks a path that came from data (an index, a manifest) or from a caller and gives its plain form.
 *
 * @param path relative, with `/` between the parts
 * @returns the path without `.` parts
 * @throws `checkpoint.unsafe-path` for anything that could leave the checkpoint's folder: absolute paths, drive
 * letters, `..`, backslashes (a separator on Windows), control characters
 */
export function normalizePath(path: string): string {
  if (typeof path !== 'string') throw invalidOption('path', path, 'a text')
  const refuse = (why: string) =>
    new CheckpointError(
      'checkpoint.unsafe-path',
      `The path ${JSON.stringify(path.slice(0, 200))} is refused: ${why}. ` +
        'Paths inside a checkpoint are relative and stay inside its folder.',
    )
  if (path.startsWith('/')) throw refuse('it is absolute')
  if (path.includes('\\')) throw refuse('it contains a backslash')
  if (/^[a-z]:/i.test(path)) throw refuse('it names a drive')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f]/.test(path)) throw refuse('it contains a control character')
  const parts = path.split('/').filter((part) => part !== '.')
  if (parts.includes('..')) throw refuse('it contains ".."')
  if (parts.length === 0 || parts.includes('')) throw refuse('it has an empty part')
  return parts.join('/')
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
