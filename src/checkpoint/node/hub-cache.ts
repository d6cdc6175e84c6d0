import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
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
