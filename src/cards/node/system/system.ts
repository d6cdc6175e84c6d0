/** What is asked about cards: the system's files and programs. Tests give made-up ones. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

export interface System {
  readonly platform: NodeJS.Platform
  /** A file's text without spaces around it; undefined where it cannot be read. */
  read(path: string): Promise<string | undefined>
  /** The names in a folder; none where there is no such folder. */
  list(path: string): Promise<readonly string[]>
  /** What a program prints; undefined where it is not there. @throws Error with what it says where it fails */
  run(program: string, args: readonly string[]): Promise<string | undefined>
}

const execute = promisify(execFile)

/** A driver in trouble can keep its tools waiting for ever. */
const TIMEOUT_MS = 20_000

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await execute(program, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' })).stdout
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string }
    if (code === 'ENOENT' || code === 'EACCES') return undefined
    throw new Error(stderr?.trim() || message)
  }
}

/** The system that this process runs on. */
export const HERE: System = {
  platform: process.platform,
  read: (path) =>
    readFile(path, 'utf8').then(
      (text) => text.trim(),
      () => undefined,
    ),
  list: (path) => readdir(path).catch(() => []),
  run,
}
