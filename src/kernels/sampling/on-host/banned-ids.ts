/** The ids that would complete a banned sequence after `history`, the latest id last. */
export function bannedIds(
  history: readonly number[],
  sequences: readonly (readonly number[])[],
): Set<number> {
  const completes = (ids: readonly number[]) => {
    const head = ids.slice(0, -1)
    const tail = history.slice(history.length - head.length)
    return head.length <= history.length && head.every((id, i) => id === tail[i])
  }
  return new Set(sequences.filter(completes).map((ids) => ids[ids.length - 1]))
}
