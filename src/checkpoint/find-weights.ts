import { SourceError } from '../errors/index.js'
import { PROGRESS_FILE, WEIGHT_FILES } from './formats/checkpoint-files.js'
import { findGguf } from './formats/gguf-parts.js'
import { readWeightIndex } from './formats/weight-index.js'
import type { ByteSource } from './sources/byte-source.js'

/**
 * The weight file, or index of weight files, of a folder.
 *
 * @throws `source.not-found` where there is none
 */
export async function findWeights(source: ByteSource, signal?: AbortSignal): Promise<string> {
  let stale: string | undefined
  for (const path of WEIGHT_FILES) {
    if (!(await source.has(path, signal))) continue
    // Whoever downloads all small files has the indexes of both formats, and the shards of one.
    if (!path.endsWith('.index.json') || (await hasShard(source, path, signal))) return path
    stale ??= path
  }
  if (stale !== undefined) return stale
  const gguf = await findGguf(source, signal)
  if (gguf !== undefined) return gguf
  const unfinished = await source.has(PROGRESS_FILE, signal)
  throw new SourceError(
    'source.not-found',
    unfinished
      ? `${source.name} is an unfinished checkpoint. Run the conversion that writes it again: it continues.`
      : `${source.name} holds no checkpoint: none of ${WEIGHT_FILES.join(', ')} and no .gguf file is there. ` +
          'Give the folder that has them, or the weight file itself.',
  )
}

/** Whether any shard of an index is there. */
async function hasShard(source: ByteSource, indexPath: string, signal?: AbortSignal): Promise<boolean> {
  const { shards } = await readWeightIndex(source, indexPath, signal)
  for (const path of shards.keys()) if (await source.has(path, signal)) return true
  return false
}
