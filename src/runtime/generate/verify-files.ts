import { type ByteSource, readManifest, verifyManifest } from '../../checkpoint/index.js'
import { CheckpointError } from '../../errors/index.js'
import type { LoadModelOptions } from './load-options.js'

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
