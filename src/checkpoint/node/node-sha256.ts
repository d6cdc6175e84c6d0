/** SHA-256 by Node's own cryptography. */
import { createHash } from 'node:crypto'
import type { Sha256 } from '../sha256.js'

export function createNodeSha256(): Sha256 {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') }
}
