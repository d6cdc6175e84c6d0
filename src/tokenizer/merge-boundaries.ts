/** Bits of the filter: a vocabulary of 65,000 pieces sets about one in fifty. */
const FILTER_BITS = 22

/**
 * Cuts text at places that no merge can cross, so that each part is encoded alone with the same result and byte
 * pair encoding never sees a long text at once.
 *
 * A merge joins two neighbours, hence it needs a piece in which the last UTF-16 unit of the one stands before the
 * first unit of the other. Where no merge has that pair of units, nothing is ever joined. The pairs are kept in a
 * hashed bit set: two pairs that share a bit cost a cut, never the result.
 */
export class MergeBoundaries {
  readonly #filter = new Uint32Array(2 ** (FILTER_BITS - 5))

  constructor(merges: readonly (readonly [left: string, right: string])[]) {
    for (const [left, right] of merges) {
      const bit = hash(left.charCodeAt(left.length - 1), right.charCodeAt(0))
      this.#filter[bit >>> 5] |= 1 << (bit & 31)
    }
  }

  /** The parts of a text in order. It must be well-formed UTF-16; no character is cut in two. */
  split(text: string): string[] {
    const parts: string[] = []
    let start = 0
    for (let i = 1; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      const bit = hash(text.charCodeAt(i - 1), unit)
      if ((this.#filter[bit >>> 5] >>> (bit & 31)) & 1 || isLowSurrogate(unit)) continue
      parts.push(text.slice(start, i))
      start = i
    }
    if (start < text.length) parts.push(text.slice(start))
    return parts
  }
}

function isLowSurrogate(unit: number): boolean {
  return (unit & 0xfc00) === 0xdc00
}

/** Multiplicative hashing (Knuth, TAOCP 6.4) of the two units as one 32-bit number. */
function hash(left: number, right: number): number {
  return Math.imul((left << 16) | right, 0x9e3779b1) >>> (32 - FILTER_BITS)
}
