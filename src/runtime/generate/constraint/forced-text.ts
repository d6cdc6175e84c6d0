import type { TokenTexts, TokenTrie } from './token-trie.js'

const MOST_KEPT = 1000

/** The tokens of text that must come, as the tokenizer writes it in the middle of a text. */
export class ForcedText {
  readonly #tokenizer: Pick<TokenTexts, 'encode'>
  readonly #trie: TokenTrie
  /** Behind a line's end no space is set before a text. */
  readonly #lineEnd: readonly number[]
  readonly #known = new Map<string, readonly number[]>()

  constructor(tokenizer: Pick<TokenTexts, 'encode'>, trie: TokenTrie) {
    this.#tokenizer = tokenizer
    this.#trie = trie
    this.#lineEnd = tokenizer.encode('\n')
  }

  /** The ids of some bytes but the last: that may become one token with what follows. */
  ids(bytes: readonly number[]): readonly number[] {
    if (bytes.length < 2) return []
    const key = String.fromCharCode(...bytes)
    let ids = this.#known.get(key)
    if (!ids) {
      ids = this.#find(Uint8Array.from(bytes))
      if (this.#known.size === MOST_KEPT) this.#known.clear()
      this.#known.set(key, ids)
    }
    return ids
  }

  #find(bytes: Uint8Array<ArrayBuffer>): readonly number[] {
    // A character that is cut at the end is left out.
    const text = new TextDecoder().decode(bytes, { stream: true })
    const encoded = this.#tokenizer.encode(`\n${text}`).slice(this.#lineEnd.length, -1)
    let at = 0
    const isOther = encoded.findIndex((id) => {
      const own = this.#trie.bytes[id]
      const isNext = own?.every((byte, i) => bytes[at + i] === byte)
      at += own?.length ?? 0
      return !isNext
    })
    return isOther < 0 ? encoded : encoded.slice(0, isOther)
  }
}
