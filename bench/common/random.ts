/** A seeded random source: mulberry32, uniform in [0, 1). */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `length` random token ids of a vocabulary. */
export function randomIds(length: number, vocabulary: number, seed: number): number[] {
  const random = randomSource(seed)
  return Array.from({ length }, () => Math.floor(random() * vocabulary))
}
