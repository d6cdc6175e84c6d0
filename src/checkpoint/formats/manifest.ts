import { CheckpointError } from '../../errors/index.js'
import { normalizePath } from '../paths.js'
import { hashFile } from '../sha256.js'
import { type ByteSink, writeFile } from '../sinks/byte-sink.js'
import { type ByteSource, readFile } from '../sources/byte-source.js'
import { MANIFEST_FILE } from './checkpoint-files.js'
import { isJsonObject, isSize, parseJson } from './json.js'

const MAX_MANIFEST_BYTES = 8 * 1024 * 1024
const VERSION = 1

export interface ManifestEntry {
  /** In bytes. */
  readonly size: number
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

/** What the files of a checkpoint must be, by path. */
export type Manifest = ReadonlyMap<string, ManifestEntry>

export interface VerifyProgress {
  readonly path: string
  readonly bytesDone: number
  readonly bytesTotal: number
}

/** Writes `manifest.json`: `{"version": 1, "files": {PATH: {"size", "sha256"}}}`, paths in order. */
export async function writeManifest(sink: ByteSink, manifest: Manifest): Promise<void> {
  const files: Record<string, ManifestEntry> = Object.create(null)
  for (const path of [...manifest.keys()].sort()) files[path] = manifest.get(path)!
  const json = JSON.stringify({ version: VERSION, files }, null, 2)
  await writeFile(sink, MANIFEST_FILE, new TextEncoder().encode(`${json}\n`))
}

/**
 * Reads `manifest.json`; undefined where there is none.
 *
 * @throws `checkpoint.corrupt` where it is malformed
 * @throws `checkpoint.unsafe-path` where a path would lie outside the checkpoint
 * @throws `checkpoint.unsupported` for a later version
 */
export async function readManifest(source: ByteSource, signal?: AbortSignal): Promise<Manifest | undefined> {
  if (!(await source.has(MANIFEST_FILE, signal))) return undefined
  const json = parseJson(await readFile(source, MANIFEST_FILE, MAX_MANIFEST_BYTES, signal), MANIFEST_FILE)
  if (!isJsonObject(json))
    throw new CheckpointError('checkpoint.corrupt', `${MANIFEST_FILE} is no JSON object.`)
  if (json.version !== VERSION) {
    throw new CheckpointError(
      'checkpoint.unsupported',
      `${MANIFEST_FILE} has the version ${json.version}; ${VERSION} is supported.`,
    )
  }
  return parseManifestEntries(json.files, MANIFEST_FILE)
}

/** Checks the JSON object of a manifest's files. */
export function parseManifestEntries(files: unknown, file: string): Manifest {
  if (!isJsonObject(files)) throw new CheckpointError('checkpoint.corrupt', `${file} lists no files.`)
  const manifest = new Map<string, ManifestEntry>()
  for (const [path, entry] of Object.entries(files)) {
    if (
      !isJsonObject(entry) ||
      !isSize(entry.size) ||
      typeof entry.sha256 !== 'string' ||
      !/^[0-9a-f]{64}$/.test(entry.sha256)
    ) {
      throw new CheckpointError(
        'checkpoint.corrupt',
        `${file} gives no size and SHA-256 for ${JSON.stringify(path.slice(0, 200))}.`,
      )
    }
    manifest.set(normalizePath(path), { size: entry.size, sha256: entry.sha256 })
  }
  return manifest
}

/**
 * Compares every file with the manifest, sizes first. Files that the manifest does not list do not matter.
 *
 * @throws `checkpoint.manifest-mismatch` that lists every file which is missing or differs
 * @throws `source.failed` where a file cannot be read
 */
export async function verifyManifest(
  source: ByteSource,
  manifest: Manifest,
  options: { onProgress?: (progress: VerifyProgress) => void; signal?: AbortSignal } = {},
): Promise<void> {
  const mismatches: { path: string; problem: string }[] = []
  const present: [string, ManifestEntry][] = []
  for (const [path, entry] of manifest) {
    options.signal?.throwIfAborted()
    if (!(await source.has(path, options.signal))) {
      mismatches.push({ path, problem: 'is missing' })
      continue
    }
    const size = await source.size(path, options.signal)
    if (size === entry.size) present.push([path, entry])
    else mismatches.push({ path, problem: `has ${size} bytes instead of ${entry.size}` })
  }
  const bytesTotal = present.reduce((sum, [, { size }]) => sum + size, 0)
  let bytesDone = 0
  for (const [path, entry] of present) {
    const sha256 = await hashFile(source, path, {
      onBytes: (bytes) => {
        bytesDone += bytes
        options.onProgress?.({ path, bytesDone, bytesTotal })
      },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    if (sha256 !== entry.sha256) {
      mismatches.push({ path, problem: `has the SHA-256 ${sha256} instead of ${entry.sha256}` })
    }
  }
  if (mismatches.length > 0) {
    throw new CheckpointError(
      'checkpoint.manifest-mismatch',
      `${source.name} differs from its ${MANIFEST_FILE}: ` +
        `${mismatches.map(({ path, problem }) => `${path} ${problem}`).join('; ')}. Download or write these files again.`,
      { details: { mismatches } },
    )
  }
}
