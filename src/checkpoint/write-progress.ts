import { CheckpointError, SinkError } from '../errors/index.js'
import { MANIFEST_FILE, PROGRESS_FILE, WEIGHT_FILES } from './formats/checkpoint-files.js'
import { isJsonObject, parseJson } from './formats/json.js'
import { type Manifest, type ManifestEntry, parseManifestEntries, readManifest } from './formats/manifest.js'
import { createSha256, hashFile } from './sha256.js'
import { type ByteSink, writeFile } from './sinks/byte-sink.js'
import { readFile } from './sources/byte-source.js'

const MAX_PROGRESS_BYTES = 16 * 1024 * 1024
const VERSION = 1

/** What `checkpoint-progress.json` tells about an unfinished checkpoint. */
interface Progress {
  /** The hash of everything that determines the files. */
  readonly identity: string
  /** The shards that the checkpoint will have. */
  readonly planned: readonly string[]
  /** The shards that are complete. */
  readonly complete: Manifest
}

/** The hash of a JSON value, by which a later run knows that it would write the same. */
export async function identityOf(value: unknown): Promise<string> {
  const hash = await createSha256()
  hash.update(new TextEncoder().encode(JSON.stringify(value)))
  return hash.digest()
}

export async function writeProgress(
  sink: ByteSink,
  { identity, planned, complete }: Progress,
): Promise<void> {
  const json = JSON.stringify(
    { version: VERSION, identity, planned, complete: Object.fromEntries(complete) },
    null,
    2,
  )
  await writeFile(sink, PROGRESS_FILE, new TextEncoder().encode(`${json}\n`))
}

async function readProgress(sink: ByteSink): Promise<Progress | undefined> {
  if (!(await sink.has(PROGRESS_FILE))) return undefined
  const json = parseJson(await readFile(sink, PROGRESS_FILE, MAX_PROGRESS_BYTES), PROGRESS_FILE)
  if (
    !isJsonObject(json) ||
    json.version !== VERSION ||
    typeof json.identity !== 'string' ||
    !Array.isArray(json.planned) ||
    !json.planned.every((path) => typeof path === 'string')
  ) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${PROGRESS_FILE} in ${sink.name} is not what this version writes. Empty the folder.`,
    )
  }
  return {
    identity: json.identity,
    planned: json.planned,
    complete: parseManifestEntries(json.complete, PROGRESS_FILE),
  }
}

export interface ResumeOptions {
  /** Whether what an earlier run with other settings wrote is removed instead of refused. */
  readonly restart: boolean
  /** Is told how much of the shards of an earlier run has been checked. */
  readonly onProgress?: (progress: { path: string; bytesDone: number; bytesTotal: number }) => void
  readonly signal?: AbortSignal
}

/**
 * Prepares a destination: finds the shards that an earlier run with the same identity completed, and removes
 * what an earlier run with another left behind, if that is asked for. Weights that no run of this project
 * wrote are never touched.
 *
 * @param planned the shards to be written
 * @returns the complete shards, each checked by its hash
 * @throws `sink.resume-mismatch` where an earlier run had another identity, without `restart`
 * @throws `sink.failed` where the destination holds a finished checkpoint, without `restart`, or foreign weights
 */
export async function resume(
  sink: ByteSink,
  identity: string,
  planned: readonly string[],
  { restart, onProgress, signal }: ResumeOptions,
): Promise<Map<string, ManifestEntry>> {
  const progress = await readProgress(sink)
  const manifest = progress === undefined ? await readManifest(sink) : undefined
  const own = new Set([...(progress?.planned ?? []), ...(manifest?.keys() ?? [])])
  const weights = (await sink.list()).filter(isWeightFile)
  const foreign = weights.filter((path) => !own.has(path))
  if (foreign.length > 0) {
    throw new SinkError(
      'sink.occupied',
      `${sink.name} holds weights that were not written by an earlier run (${foreign.slice(0, 3).join(', ')}). ` +
        'Give an empty folder.',
    )
  }
  if (progress?.identity === identity) {
    return checkComplete(sink, progress.complete, planned, onProgress, signal)
  }
  if (!restart && progress !== undefined) {
    throw new SinkError(
      'sink.resume-mismatch',
      `${sink.name} holds an unfinished checkpoint with other settings or tensors. Run it again with its own ` +
        'settings to finish it, ask for a restart to replace it, or give an empty folder.',
    )
  }
  if (!restart && weights.length > 0) {
    throw new SinkError(
      'sink.occupied',
      `${sink.name} already holds a finished checkpoint. Ask for a restart to replace it, or give an empty folder.`,
    )
  }
  // The lists of own files go last: without them the next run would take the rest for foreign.
  for (const path of [...weights, MANIFEST_FILE, PROGRESS_FILE]) await sink.remove(path)
  return new Map()
}

async function checkComplete(
  sink: ByteSink,
  complete: Manifest,
  planned: readonly string[],
  onProgress: ResumeOptions['onProgress'],
  signal: AbortSignal | undefined,
): Promise<Map<string, ManifestEntry>> {
  const checked = new Map<string, ManifestEntry>()
  const recorded = [...complete].filter(([path]) => planned.includes(path))
  const bytesTotal = recorded.reduce((sum, [, { size }]) => sum + size, 0)
  let bytesDone = 0
  for (const [path, entry] of recorded) {
    if (!(await sink.has(path)) || (await sink.size(path)) !== entry.size) continue
    const sha256 = await hashFile(sink, path, {
      onBytes: (bytes) => {
        bytesDone += bytes
        onProgress?.({ path, bytesDone, bytesTotal })
      },
      ...(signal === undefined ? {} : { signal }),
    })
    if (sha256 === entry.sha256) checked.set(path, entry)
  }
  return checked
}

function isWeightFile(path: string): boolean {
  return (
    /\.(safetensors|bin|gguf|onnx|onnx_data(_\d+)?)$/.test(path) || WEIGHT_FILES.some((name) => name === path)
  )
}
