import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { SourceError } from '../../errors/index.js'

/**
 * The folder with a repository's files in a folder of Hugging Face's cache: `models--owner--name` has them below
 * `snapshots`, under the revision that `refs/main` names. Other folders are given back as they are.
 *
 * @throws `source.not-found` where the folder has no snapshot, or several and no `refs/main` to choose
 */
export async function snapshotOf(folder: string): Promise<string> {
  if (!basename(folder).startsWith('models--')) return folder
  const snapshots = await readdir(join(folder, 'snapshots')).catch(() => undefined)
  if (!snapshots) return folder
  const main = await readFile(join(folder, 'refs', 'main'), 'utf8').catch(() => '')
  const revision = snapshots.includes(main.trim()) ? main.trim() : snapshots[0]
  if (revision !== undefined && (revision === main.trim() || snapshots.length === 1)) {
    return join(folder, 'snapshots', revision)
  }
  throw new SourceError(
    'source.not-found',
    `${folder} is a repository in Hugging Face's cache with ${snapshots.length} snapshots and no refs/main that names one. ` +
      'Give a folder below snapshots, or download the repository again.',
  )
}

/** A repository of Hugging Face, and a branch, tag or commit of it. */
export interface CachedRepository {
  readonly name: string
  readonly revision: string
}

/** The folder of Hugging Face's cache, where its own tools look: see `HF_HUB_CACHE` and `HF_HOME` in its documentation. */
function cacheFolder(): string {
  const { HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = process.env
  const home = HF_HOME || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface')
  return HF_HUB_CACHE || join(home, 'hub')
}

const folderOf = (name: string) => join(cacheFolder(), `models--${name.replace('/', '--')}`)

/** The folder with the files of a revision in the cache; undefined where there is none. */
export async function cachedSnapshot({ name, revision }: CachedRepository): Promise<string | undefined> {
  const folder = folderOf(name)
  const named = await readFile(join(folder, 'refs', revision), 'utf8').catch(() => revision)
  const snapshot = join(folder, 'snapshots', named.trim())
  const found = await stat(snapshot).catch(() => undefined)
  return found?.isDirectory() ? snapshot : undefined
}

/** Where the files of a commit belong in the cache. */
export function snapshotFolder({ name }: CachedRepository, commit: string): string {
  return join(folderOf(name), 'snapshots', commit)
}

/** Notes that a branch or tag is at a commit, all of whose files are there. */
export async function noteRevision({ name, revision }: CachedRepository, commit: string): Promise<void> {
  if (revision === commit) return
  const file = join(folderOf(name), 'refs', revision)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, commit)
}
