/** A word as the symbols that it consists of so far, and how often the text has it. */
interface Word {
  symbols: string[]
  readonly count: number
}

/** A line break ends a word and belongs to none; a space begins one, as `▁`. */
const WORD = /▁?\p{Script=Latin}+|\p{Script=Han}+|▁+|[^\n]/gu

/**
 * Cuts text into the parts that no piece may cross: Latin words with the space before them, runs of Chinese
 * characters, runs of spaces, and every other character by itself.
 *
 * @returns how often each part occurs
 */
export function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) {
    for (const [word] of line.replaceAll(' ', '▁').matchAll(WORD)) {
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
  }
  return counts
}

/**
 * Byte pair encoding (Sennrich et al., 2016): joins the most frequent pair of neighbours, again and again.
 *
 * @param wordCounts parts of a text with their frequencies, as of `countWords`
 * @param limits the most pieces to learn, and how often a pair must occur to become one
 * @returns pieces of two characters and more, in the order in which they were learned
 */
export function trainBpe(
  wordCounts: ReadonlyMap<string, number>,
  limits: { readonly pieces: number; readonly minimumCount: number },
): string[] {
  const words = [...wordCounts].map(([word, count]): Word => ({ symbols: [...word], count }))
  const learned = new Set<string>()
  while (learned.size < limits.pieces) {
    const best = mostFrequentPair(words)
    if (best === undefined || best.count < limits.minimumCount) break
    for (const word of words) join(word, best.left, best.right)
    // Two different pairs may make the same piece; it is one piece.
    learned.add(best.left + best.right)
  }
  return [...learned]
}

interface Pair {
  readonly left: string
  readonly right: string
  count: number
}

function mostFrequentPair(words: readonly Word[]): Pair | undefined {
  const pairs = new Map<string, Pair>()
  for (const { symbols, count } of words) {
    for (let i = 1; i < symbols.length; i++) {
      const left = symbols[i - 1]
      const right = symbols[i]
      // No word holds a line break, so that this key is unique.
      const key = `${left}\n${right}`
      const pair = pairs.get(key)
      if (pair) pair.count += count
      else pairs.set(key, { left, right, count })
    }
  }
  let best: Pair | undefined
  for (const pair of pairs.values()) {
    // The first of equals: a map keeps the order of insertion, so the result depends on the text alone.
    if (best === undefined || pair.count > best.count) best = pair
  }
  return best
}

function join(word: Word, left: string, right: string): void {
  const { symbols } = word
  for (let i = 1; i < symbols.length; i++) {
    if (symbols[i - 1] === left && symbols[i] === right) symbols.splice(i - 1, 2, left + right)
  }
}
