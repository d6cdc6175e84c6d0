import { findWeights } from './find-weights.js'
import { MANIFEST_FILE, WEIGHT_FILES, WELL_KNOWN_FILES } from './formats/checkpoint-files.js'
import { ggufParts } from './formats/gguf-parts.js'
import { readManifest } from './formats/manifest.js'
import { readWeightIndex } from './formats/weight-index.js'
import type { ByteSource } from './sources/byte-source.js'

/** A file that belongs to a checkpoint. */
export interface ListedFile {
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** Lower-case hexadecimal, where the manifest or the hub tells it. */
  readonly sha256?: string
}

/**
 * The files that make up a checkpoint, so that it can be copied: those of its manifest, or else one form of the weights
 * (a repository may hold several) with the configuration and the tokenizer; one file alone where the source points at
 * one.
 *
 * @throws `source.not-found` where there are no weights
 * @throws `checkpoint.corrupt`, `checkpoint.unsafe-path` where the manifest or the index is malformed
 * @throws `source.failed` where the source cannot be read
 */
export async function listCheckpoint(source: ByteSource, signal?: AbortSignal): Promise<ListedFile[]> {
  const manifest = source.file === undefined ? await readManifest(source, signal) : undefined
  const hashes = manifest ?? (await source.hashes?.(signal)) ?? new Map<string, never>()
  const paths = manifest ? [MANIFEST_FILE, ...manifest.keys()] : await filesOf(source, signal)
  const files: ListedFile[] = []
  for (const path of paths) {
    signal?.throwIfAborted()
    const known = hashes.get(path)
    files.push({
      path,
      size: known?.size ?? (await source.size(path, signal)),
      ...(known && { sha256: known.sha256 }),
    })
  }
  return files
}

async function filesOf(source: ByteSource, signal?: AbortSignal): Promise<string[]> {
  if (source.file !== undefined && !source.file.endsWith('.json')) return ggufParts(source.file)
  const weights = source.file ?? (await findWeights(source, signal))
  const paths = ggufParts(weights)
  if (weights.endsWith('.index.json')) {
    paths.push(...(await readWeightIndex(source, weights, signal)).shards.keys())
  }
  const others = WELL_KNOWN_FILES.filter((name) => !(WEIGHT_FILES as readonly string[]).includes(name))
  const present = await Promise.all(others.map((name) => source.has(name, signal)))
  return [...others.filter((_, i) => present[i]), ...paths]
}
