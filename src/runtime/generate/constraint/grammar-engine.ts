import { Automaton, type State } from './automaton.js'
import type { Constraint } from './constraint.js'
import { ForcedText } from './forced-text.js'
import { readGrammar } from './grammar.js'
import { writeNetwork } from './network.js'
import { type TokenTexts, TokenTrie } from './token-trie.js'

/** Grammars that are kept, with all that was found of them. */
const KEPT_GRAMMARS = 16

/** Grammars over the tokens of a model. */
export class GrammarEngine {
  readonly #trie: TokenTrie
  readonly #forcedText: ForcedText
  /** By their text, the one used last at the end. */
  readonly #automatons = new Map<string, Automaton>()

  /** @param vocabulary logits in a row, which may be more than there are tokens */
  constructor(tokenizer: TokenTexts, vocabulary: number) {
    this.#trie = new TokenTrie(tokenizer, vocabulary)
    this.#forcedText = new ForcedText(tokenizer, this.#trie)
  }

  /**
   * What makes answers keep to a grammar, each from its beginning.
   * @param stopIds allowed where a text of the grammar is whole
   * @param spells whether text that must come is written as the tokenizer writes it; else it may come in any tokens
   * @throws GrammarProblem
   */
  prepare(grammar: string, stopIds: readonly number[], spells = true): () => Constraint {
    const automaton = this.#automatons.get(grammar) ?? new Automaton(writeNetwork(readGrammar(grammar)))
    this.#automatons.delete(grammar)
    this.#automatons.set(grammar, automaton)
    const [oldest] = this.#automatons.keys()
    if (this.#automatons.size > KEPT_GRAMMARS) this.#automatons.delete(oldest)
    const spelling = spells ? this.#forcedText : undefined
    return () => new GrammarConstraint(automaton, this.#trie, spelling, stopIds)
  }
}

/** An answer that keeps to a grammar. */
class GrammarConstraint implements Constraint {
  readonly #automaton: Automaton
  readonly #trie: TokenTrie
  readonly #spelling: ForcedText | undefined
  readonly #stopIds: readonly number[]
  #state: State
  /** Ids that must come next; undefined where that was not found yet. */
  #forced: readonly number[] | undefined
  #stopped = false

  constructor(
    automaton: Automaton,
    trie: TokenTrie,
    spelling: ForcedText | undefined,
    stopIds: readonly number[],
  ) {
    this.#automaton = automaton
    this.#trie = trie
    this.#spelling = spelling
    this.#stopIds = stopIds
    this.#state = automaton.start
  }

  get done(): boolean {
    return this.#stopped || (this.#state.mayEnd && this.#state.items.length === 0)
  }

  mask(): Uint32Array<ArrayBuffer> {
    const [forced] = this.forced(1)
    if (forced !== undefined) return this.#trie.maskOf(forced)
    const mask = this.#automaton.limited(() => this.#trie.mask(this.#automaton, this.#state)).slice()
    // An id that ends answers ends whole ones only, also where it would be text.
    for (const id of this.#stopIds) {
      if (this.#state.mayEnd) mask[id >> 5] |= 1 << (id & 31)
      else mask[id >> 5] &= ~(1 << (id & 31))
    }
    return mask
  }

  forced(most: number): readonly number[] {
    this.#forced ??= this.#findForced()
    return this.#forced.slice(0, most)
  }

  #findForced(): readonly number[] {
    if (!this.#spelling || this.#stopped) return []
    const bytes = this.#automaton.limited(() => this.#automaton.forced(this.#state))
    const ids = this.#spelling.ids(bytes)
    const end = ids.findIndex((id) => this.#stopIds.includes(id))
    return end < 0 ? ids : ids.slice(0, end)
  }

  accept(id: number): void {
    if (this.#stopIds.includes(id)) {
      this.#stopped = true
      return
    }
    let state: State | null = this.#state
    for (const byte of this.#trie.bytes[id] ?? [-1])
      state = (state && this.#automaton.next(state)[byte]) ?? null
    if (!state) throw new TypeError(`Id ${id} is not within the mask.`)
    this.#state = state
    // What was found to come stays so: it does not matter how many ids are taken at once.
    const [first, ...rest] = this.#forced ?? []
    this.#forced = first === id && rest.length > 0 ? rest : undefined
  }
}
