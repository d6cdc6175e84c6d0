import { randomUUID } from 'node:crypto'
import { constants, copyFile, link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { BusyError, SinkError } from '../../errors/index.js'
import { explain } from './folder-source.js'

/** Says who writes into the folder. */
export const LOCK_FILE = '.chatglm-webgpu.lock'

/** Who holds a lock. */
interface Owner {
  /** Tells this lock from every other. */
  readonly id: string
  readonly pid: number
  readonly host: string
  /** What is done: `a training`. */
  readonly work: string
  readonly since: string
}

/** The holder touches its lock as often; on another machine nothing else tells whether it still lives. */
const TOUCH_MS = 15_000
const FORGOTTEN_MS = 120_000

/** Locks of this process: a lock with its id that is not among them was left by another of the same number. */
const held = new Set<string>()

/**
 * Takes a folder for one writer. A lock whose process is gone does not count.
 * @param work what is done there, for others: `a training`
 * @returns what gives it free again
 * @throws `busy.output` naming the owner, `sink.failed` where the folder cannot be written to
 */
export async function lockFolder(folder: string, work: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE)
  const owner: Owner = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    work,
    since: new Date().toISOString(),
  }
  // Whoever was faster to remove a lock that was left there may be slower to make the new one: so not for ever.
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await create(folder, path, owner)) return hold(path, owner)
    const other = await readOwner(path)
    if (other === 'gone') continue
    if (!(await isLeft(path, other.owner))) throw occupied(folder, path, other.owner)
    await removeLeft(path, other.text)
  }
  throw occupied(folder, path, undefined)
}

/** @returns whether there was no lock */
async function create(folder: string, path: string, owner: Owner): Promise<boolean> {
  // Made complete before it has its name, so that nobody reads half of it.
  const made = `${path}.${owner.id}`
  try {
    const file = await open(made, 'wx')
    await file.writeFile(`${JSON.stringify(owner)}\n`)
    await file.close()
    await link(made, path).catch(async (error: NodeJS.ErrnoException) => {
      // Some file systems have no links.
      if (error.code === 'EEXIST') throw error
      await copyFile(made, path, constants.COPYFILE_EXCL)
    })
    held.add(owner.id)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw new SinkError('sink.failed', `Cannot write to ${folder}: ${explain(error)}.`, { cause: error })
  } finally {
    await rm(made, { force: true })
  }
}

function hold(path: string, owner: Owner): () => Promise<void> {
  const timer = setInterval(() => {
    const now = new Date()
    utimes(path, now, now).catch(() => {})
  }, TOUCH_MS)
  timer.unref()
  return async () => {
    clearInterval(timer)
    held.delete(owner.id)
    const other = await readOwner(path)
    // Somebody may have taken it for one that was left, after this machine slept.
    if (other !== 'gone' && other.owner?.id === owner.id) await rm(path, { force: true })
  }
}

/** Who a lock belongs to; undefined where it is damaged. */
async function readOwner(path: string): Promise<'gone' | { text: string; owner: Owner | undefined }> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return 'gone'
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    const isOwner = typeof owner?.pid === 'number' && typeof owner.host === 'string'
    return { text, owner: isOwner ? (owner as Owner) : undefined }
  } catch {
    return { text, owner: undefined }
  }
}

/** Whether the process of a lock is gone. */
async function isLeft(path: string, owner: Owner | undefined): Promise<boolean> {
  if (owner?.host === hostname()) {
    if (owner.pid === process.pid) return !held.has(owner.id)
    return !isAlive(owner.pid)
  }
  const touched = await stat(path).catch(() => undefined)
  return touched === undefined || Date.now() - touched.mtimeMs > FORGOTTEN_MS
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of another user may not be asked, but is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes a lock that was left, unless it is another by now. */
async function removeLeft(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  try {
    await rename(path, aside)
    // Somebody else was faster, and has a lock of their own already: it goes back.
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, path)
  } catch {
    // It is gone, or there is a new one: the next attempt sees.
  } finally {
    await rm(aside, { force: true })
  }
}

function occupied(folder: string, path: string, owner: Owner | undefined) {
  const who = owner
    ? `${String(owner.work).slice(0, 40)} (process ${owner.pid} on ${owner.host.slice(0, 80)}, since ${String(owner.since).slice(0, 40)})`
    : 'another process'
  return new BusyError(
    'busy.output',
    `${folder} is in use: ${who} writes there. Wait for it, or give another folder. If it runs no more, remove ${path}.`,
    { details: { folder } },
  )
}
