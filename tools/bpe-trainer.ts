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
 * @param word another way to cut: what a part is, a space written as `▁`
 * @returns how often each part occurs
 */
export function countWords(text: string, word = WORD): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of text.split('\n')) {
    for (const [part] of line.replaceAll(' ', '▁').matchAll(word)) {
      counts.set(part, (counts.get(part) ?? 0) + 1)
    }
  }
  return counts
}

export interface BpeLimits {
  /** The most pieces to learn. */
  readonly pieces: number
  /** How often a pair must occur to become one. */
  readonly minimumCount: number
  /** Whether something may be a piece at all. Default: everything may. */
  readonly accepts?: (piece: string) => boolean
}

/**
 * Byte pair encoding (Sennrich et al., 2016): joins the most frequent pair of neighbours, again and again. Of equally
 * frequent pairs the one that the words have first is joined.
 *
 * @param wordCounts parts of a text with their frequencies, as of `countWords`
 * @returns pieces of two characters and more, in the order in which they were learned
 */
export function trainBpe(
  wordCounts: ReadonlyMap<string, number>,
  { pieces, minimumCount, accepts = () => true }: BpeLimits,
): string[] {
  const words = [...wordCounts].map(([word, count]): Word => ({ symbols: [...word], count }))
  const pairs = new PairCounts(words, accepts)
  const learned = new Set<string>()
  while (learned.size < pieces) {
    const best = pairs.mostFrequent()
    if (best === undefined || best.count < minimumCount) break
    pairs.join(best)
    // Two different pairs may make the same piece; it is one piece.
    learned.add(best.left + best.right)
  }
  return [...learned]
}

interface Pair {
  readonly left: string
  readonly right: string
  count: number
  /** Which words have it, by their place in the list. */
  readonly words: Set<number>
}

/** The pairs of neighbours in words, kept up to date as pairs are joined: only words that have a pair change. */
class PairCounts {
  readonly #words: readonly Word[]
  readonly #accepts: (piece: string) => boolean
  readonly #pairs = new Map<string, Pair>()

  constructor(words: readonly Word[], accepts: (piece: string) => boolean) {
    this.#words = words
    this.#accepts = accepts
    for (let index = 0; index < words.length; index++) this.#add(index)
  }

  mostFrequent(): Pair | undefined {
    let best: Pair | undefined
    for (const pair of this.#pairs.values()) {
      if (best === undefined || pair.count > best.count) best = pair
      else if (pair.count === best.count && this.#isBefore(pair, best)) best = pair
    }
    return best
  }

  join({ left, right, words }: Pair): void {
    for (const index of [...words]) {
      this.#remove(index)
      joinSymbols(this.#words[index].symbols, left, right)
      this.#add(index)
    }
  }

  #add(index: number): void {
    const { symbols, count } = this.#words[index]
    for (let i = 1; i < symbols.length; i++) {
      const left = symbols[i - 1]
      const right = symbols[i]
      // No word holds a line break, so that this key is unique.
      const key = `${left}\n${right}`
      const pair = this.#pairs.get(key)
      if (pair) {
        pair.count += count
        pair.words.add(index)
      } else if (this.#accepts(left + right)) {
        this.#pairs.set(key, { left, right, count, words: new Set([index]) })
      }
    }
  }

  #remove(index: number): void {
    const { symbols, count } = this.#words[index]
    for (let i = 1; i < symbols.length; i++) {
      const key = `${symbols[i - 1]}\n${symbols[i]}`
      const pair = this.#pairs.get(key)
      if (!pair) continue
      pair.count -= count
      pair.words.delete(index)
      if (pair.words.size === 0) this.#pairs.delete(key)
    }
  }

  #isBefore(pair: Pair, other: Pair): boolean {
    const [first, second] = [firstOf(pair.words), firstOf(other.words)]
    if (first !== second) return first < second
    const { symbols } = this.#words[first]
    return placeOf(symbols, pair) < placeOf(symbols, other)
  }
}

function firstOf(places: ReadonlySet<number>): number {
  let first = Number.POSITIVE_INFINITY
  for (const place of places) if (place < first) first = place
  return first
}

function placeOf(symbols: readonly string[], { left, right }: Pair): number {
  return symbols.findIndex((symbol, index) => symbol === left && symbols[index + 1] === right)
}

function joinSymbols(symbols: string[], left: string, right: string): void {
  for (let i = 1; i < symbols.length; i++) {
    if (symbols[i - 1] === left && symbols[i] === right) symbols.splice(i - 1, 2, left + right)
  }
}
