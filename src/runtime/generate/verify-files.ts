import { type ByteSource, readManifest, verifyManifest } from '../../checkpoint/index.js'
import { CheckpointError, hasCode } from '../../errors/index.js'
import type { LoadModelOptions } from './load-options.js'

/** Files of a model that are hashed within what its kernels take to compile, in bytes. */
const QUICK_BYTES = 64 * 2 ** 20

/** @throws `checkpoint.manifest-mismatch` naming every file that differs, `checkpoint.manifest-missing` where there is none */
export async function verifyFiles(
  source: ByteSource,
  { onProgress, signal }: LoadModelOptions,
): Promise<void> {
  const manifest = await readManifest(source, signal)
  if (!manifest) {
    throw new CheckpointError(
      'checkpoint.manifest-missing',
      `${source.name} has no manifest.json to compare its files with. Conversions write one; load it without verify.`,
    )
  }
  await verifyManifest(source, manifest, {
    ...(signal && { signal }),
    onProgress: ({ bytesDone: doneBytes, bytesTotal: totalBytes }) =>
      onProgress?.({ stage: 'verifying', doneBytes, totalBytes }),
  })
}

/**
 * Compares files with their manifest where that costs nothing: small ones, at hand. It never fails, as a file that was changed
 * on purpose is no reason not to load a model.
 * @returns what differs, in words; undefined where nothing does, or where it was not looked at
 */
export async function findDamage(source: ByteSource, signal?: AbortSignal): Promise<string | undefined> {
  if (source.distant) return undefined
  try {
    const manifest = await readManifest(source, signal)
    const bytes = [...(manifest?.values() ?? [])].reduce((sum, { size }) => sum + size, 0)
    if (!manifest || bytes > QUICK_BYTES) return undefined
    await verifyManifest(source, manifest, signal && { signal })
    return undefined
  } catch (error) {
    // Whatever else is wrong, the load itself meets it.
    return hasCode(error, 'checkpoint.manifest-mismatch') ? error.message : undefined
  }
}
