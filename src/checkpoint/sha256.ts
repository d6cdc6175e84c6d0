import { sha256 } from '@noble/hashes/sha2.js'
import { isNode } from '../platform/index.js'
import { type ByteSource, DEFAULT_CHUNK_BYTES, streamRange } from './sources/byte-source.js'

/** A SHA-256 of bytes that come in parts. */
export interface Sha256 {
  update(bytes: Uint8Array): void
  /** The hash in lower-case hexadecimal; the last call. */
  digest(): string
}

/**
 * Begins a SHA-256. The browser's own (Web Crypto) needs all bytes at once, so there it is computed in
 * JavaScript; Node's is several times faster.
 */
export async function createSha256(): Promise<Sha256> {
  return isNode ? (await import('./node/node-sha256.js')).createNodeSha256() : createPortableSha256()
}

/** The same in plain JavaScript. */
export function createPortableSha256(): Sha256 {
  const hash = sha256.create()
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}

/**
 * The SHA-256 of a file, read in chunks.
 *
 * @param onBytes is told the length of each chunk after it was hashed
 */
export async function hashFile(
  source: ByteSource,
  path: string,
  { onBytes, signal }: { onBytes?: (bytes: number) => void; signal?: AbortSignal } = {},
): Promise<string> {
  const hash = await createSha256()
  const size = await source.size(path, signal)
  for await (const chunk of streamRange(source, path, 0, size, DEFAULT_CHUNK_BYTES, signal)) {
    hash.update(chunk)
    onBytes?.(chunk.byteLength)
  }
  return hash.digest()
}
