/**
 * A number from 0 to 2^32 - 1 that looks random and depends on every argument: each is stirred in with the finalizer
 * of MurmurHash3 (https://github.com/aappleby/smhasher). What is drawn by the place where it is needed needs no state,
 * so that a training continues as if it had never been interrupted.
 */
export function randomAt(...place: readonly number[]): number {
  let hash = 0x9e3779b9
  for (const value of place) {
    hash = Math.imul(hash ^ value, 0x85ebca6b) + 0x6d2b79f5
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash >>> 0
}

/** The numbers from 0 to `length` - 1 in a random order (Fisher and Yates). */
export function randomOrder(length: number, seed: number, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index)
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor((randomAt(seed, epoch, last) / 2 ** 32) * (last + 1))
    const value = order[last]
    order[last] = order[other]
    order[other] = value
  }
  return order
}
