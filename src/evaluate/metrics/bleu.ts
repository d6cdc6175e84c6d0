/** Orders of n-grams; all weigh the same. */
const ORDERS = 4

/**
 * BLEU-4 of one candidate against one reference, from 0 to 1: the geometric mean of the clipped precisions of 1- to
 * 4-grams, times the brevity penalty (Papineni et al. 2002). A precision of 0 becomes 1 / (2^k * n-grams of the candidate)
 * for the k-th of them, which is NIST's smoothing, method 3 of Chen and Cherry (2014); as `sentence_bleu` of NLTK with
 * `SmoothingFunction().method3`, which the official `compute_metrics` calls.
 */
export function bleu4(candidate: readonly string[], reference: readonly string[]): number {
  let logarithms = 0
  let zeros = 0
  for (let order = 1; order <= ORDERS; order++) {
    const available = ngramCounts(reference, order)
    let matches = 0
    let total = 0
    for (const [ngram, count] of ngramCounts(candidate, order)) {
      matches += Math.min(count, available.get(ngram) ?? 0)
      total += count
    }
    if (order === 1 && matches === 0) return 0
    const precision = (matches || 1 / 2 ** ++zeros) / Math.max(1, total)
    logarithms += Math.log(precision) / ORDERS
  }
  const isShort = candidate.length <= reference.length
  const brevity = isShort ? Math.exp(1 - reference.length / candidate.length) : 1
  return brevity * Math.exp(logarithms)
}

/** How often each n-gram occurs; words are joined by a character that no text has. */
export function ngramCounts(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let first = 0; first + order <= words.length; first++) {
    const ngram = words.slice(first, first + order).join('\uffff')
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1)
  }
  return counts
}
