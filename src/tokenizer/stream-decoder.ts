import type { Vocabulary } from './vocabulary.js'

const REPLACEMENT = '\ufffd'

/**
 * Turns generated ids into text as they come. The deltas together are exactly what `Tokenizer.decode` gives for all
 * ids, none ends within a character, and the cost of an id does not depend on how many came before.
 *
 * The rules are those of SentencePiece (`SentencePieceProcessor::Decode`): a run of byte tokens is UTF-8, every
 * byte of it that belongs to no character becomes U+FFFD; the space before the text, which encoding put there, is
 * taken from the first token if it has one.
 */
export class StreamDecoder {
  readonly #vocabulary: Vocabulary
  /** The bytes of a run that may still become a character: at most three. */
  #pending: number[] = []
  #isAtStart = true

  constructor(tokenizer: { readonly vocabulary: Vocabulary }) {
    this.#vocabulary = tokenizer.vocabulary
  }

  /** Takes the next id and returns the text that is now certain, often none within a character of several bytes. */
  push(id: number): string {
    const byte = this.#vocabulary.byte(id)
    if (byte !== undefined) {
      this.#pending.push(byte)
      return this.#started(this.#takeCertain())
    }
    const bytes = this.flush()
    return bytes + this.#started(this.#withoutDummyPrefix(id))
  }

  /** Ends the text: bytes that were still waiting for the rest of their character become U+FFFD each. */
  flush(): string {
    const text = REPLACEMENT.repeat(this.#pending.length)
    this.#pending = []
    return this.#started(text)
  }

  #withoutDummyPrefix(id: number): string {
    const text = this.#vocabulary.text(id)
    if (!this.#isAtStart || !text.startsWith(' ')) return text
    // It is taken once, even where the token is nothing but that space.
    this.#isAtStart = false
    return text.slice(1)
  }

  #started(text: string): string {
    if (text !== '') this.#isAtStart = false
    return text
  }

  #takeCertain(): string {
    let text = ''
    while (this.#pending.length > 0) {
      const length = characterLength(this.#pending)
      if (length === undefined) break
      text += length === 0 ? REPLACEMENT : fromUtf8(this.#pending.slice(0, length))
      this.#pending = this.#pending.slice(Math.max(length, 1))
    }
    return text
  }
}

/**
 * How many of the bytes are the first character: 0 if they cannot be one, `undefined` if more bytes decide it.
 * The ranges are those of table 3-7 of the Unicode Standard, without overlong forms and surrogates.
 */
function characterLength(bytes: readonly number[]): number | undefined {
  const [first, second] = bytes
  if (first < 0x80) return 1
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0
  if (length === 0) return 0
  if (second === undefined) return undefined
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < low || second > high) return 0
  const rest = bytes.slice(2, length)
  if (rest.some((byte) => byte < 0x80 || byte > 0xbf)) return 0
  return bytes.length < length ? undefined : length
}

/** One character of valid UTF-8. `TextDecoder` would drop U+FEFF. */
function fromUtf8(bytes: readonly number[]): string {
  const leadBits = bytes.length === 1 ? 0x7f : 0xff >> (bytes.length + 1)
  const codePoint = bytes.slice(1).reduce((value, byte) => (value << 6) | (byte & 0x3f), bytes[0] & leadBits)
  return String.fromCodePoint(codePoint)
}
