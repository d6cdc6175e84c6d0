/** How many names a suggestion has at most. */
const SUGGESTIONS = 3

/**
 * The candidates closest to a name that was not found: those that differ by a leading part (as
 * `embedding.weight` and `transformer.prefix_encoder.embedding.weight` do) and those at a small edit distance.
 */
export function closeNames(name: string, candidates: Iterable<string>): string[] {
  const limit = Math.max(2, Math.floor(name.length / 5))
  return [...candidates]
    .map((candidate) => ({
      candidate,
      distance:
        candidate.endsWith(`.${name}`) || name.endsWith(`.${candidate}`)
          ? 0
          : editDistance(name, candidate, limit),
    }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTIONS)
    .map(({ candidate }) => candidate)
}

/** The Levenshtein distance, or some number above `limit` where it exceeds that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substitution, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}
