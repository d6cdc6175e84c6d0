import type { Vocabulary } from '../../../tokenizer/index.js'
import type { Automaton, State } from './automaton.js'

const SPACE = 0x20

/** What the texts of tokens are known by: of a tokenizer, that. */
export interface TokenTexts {
  readonly vocabSize: number
  readonly vocabulary: Pick<Vocabulary, 'byte' | 'text'>
  isSpecial(id: number): boolean
  encode(text: string): number[]
}

/** The bytes of all tokens that text is made of, as a tree. */
export class TokenTrie {
  /** The bytes of a token; undefined for those that no text is made of. */
  readonly bytes: readonly (Uint8Array | undefined)[]
  readonly #words: number
  /** Nodes in the order of a walk: byte, depth from 1, first node behind those below, and a token that ends here or -1. */
  readonly #nodeBytes: Uint8Array
  readonly #depths: Uint16Array
  readonly #skips: Uint32Array
  readonly #tokens: Int32Array
  /** Tokens with the same bytes as one that comes first. */
  readonly #same = new Map<number, number[]>()
  readonly #deepest: number

  /** @param vocabulary logits in a row, which may be more than there are tokens */
  constructor(tokenizer: TokenTexts, vocabulary: number) {
    this.#words = Math.ceil(vocabulary / 32)
    const encoder = new TextEncoder()
    this.bytes = Array.from({ length: tokenizer.vocabSize }, (_, id) => {
      const byte = tokenizer.vocabulary.byte(id)
      // A space as a byte would not be taken away at the beginning of an answer, and no text is encoded with it.
      if (byte !== undefined) return byte === SPACE ? undefined : Uint8Array.of(byte)
      const text = tokenizer.isSpecial(id) ? '' : tokenizer.vocabulary.text(id)
      return text === '' ? undefined : encoder.encode(text)
    })
    // As strings of a character a byte, which are compared fast.
    const sorted = this.bytes
      .flatMap((bytes, id) => (bytes ? [{ bytes, id, key: String.fromCharCode(...bytes) }] : []))
      .sort(({ key: a }, { key: b }) => (a < b ? -1 : a > b ? 1 : 0))
    const nodeBytes: number[] = []
    const depths: number[] = []
    const tokens: number[] = []
    const skips: number[] = []
    const open: number[] = []
    let before: Uint8Array = new Uint8Array()
    for (const { bytes, id } of sorted) {
      let common = 0
      while (common < before.length && before[common] === bytes[common]) common++
      for (const node of open.splice(common)) skips[node] = nodeBytes.length
      for (let depth = common; depth < bytes.length; depth++) {
        open.push(nodeBytes.length)
        nodeBytes.push(bytes[depth])
        depths.push(depth + 1)
        tokens.push(-1)
      }
      const node = open[bytes.length - 1]
      const first = tokens[node]
      if (first < 0) tokens[node] = id
      else this.#same.set(first, [...(this.#same.get(first) ?? []), id])
      before = bytes
    }
    for (const node of open) skips[node] = nodeBytes.length
    this.#nodeBytes = Uint8Array.from(nodeBytes)
    this.#depths = Uint16Array.from(depths)
    this.#skips = Uint32Array.from(skips)
    this.#tokens = Int32Array.from(tokens)
    this.#deepest = depths.reduce((most, depth) => Math.max(most, depth), 0)
  }

  /** One id alone, as a mask. */
  maskOf(id: number): Uint32Array<ArrayBuffer> {
    const mask = new Uint32Array(this.#words)
    mask[id >> 5] = 1 << (id & 31)
    return mask
  }

  /** The tokens all of whose bytes a text goes on with, a bit an id. The state keeps it. */
  mask(automaton: Automaton, state: State): Uint32Array<ArrayBuffer> {
    if (state.mask) return state.mask
    const mask = new Uint32Array(this.#words)
    const states = new Array<State>(this.#deepest + 1)
    states[0] = state
    const [bytes, depths, skips, tokens] = [this.#nodeBytes, this.#depths, this.#skips, this.#tokens]
    for (let node = 0; node < bytes.length; ) {
      const depth = depths[node]
      const before = states[depth - 1]
      const next = (before.next ?? automaton.next(before))[bytes[node]]
      if (!next) {
        node = skips[node]
        continue
      }
      states[depth] = next
      const id = tokens[node++]
      if (id < 0) continue
      mask[id >> 5] |= 1 << (id & 31)
      if (this.#same.size > 0)
        for (const other of this.#same.get(id) ?? []) mask[other >> 5] |= 1 << (other & 31)
    }
    state.mask = mask
    return mask
  }
}
