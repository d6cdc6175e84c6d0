import type { Token, TokensList } from 'marked'
import { BoundedLexer, shortenSpace } from './bounded-lexer.js'

const OPTIONS = { gfm: true, breaks: true }

const isShown = ({ type }: Token) => type !== 'space' && type !== 'def'

/** The blocks of a Markdown text, as tokens. */
export function readMarkdown(text: string): Token[] {
  return new BoundedLexer(OPTIONS).lex(shortenSpace(text)).filter(isShown)
}

/** So many blocks at the end of a text may still change: what comes may join the last to the one before it. */
const OPEN_BLOCKS = 2

/** Reads a Markdown text while it comes: what cannot change any more is not read again. */
export class GrowingMarkdown {
  /** The beginning of the text that cannot change, its blocks, and where its references lead. */
  #settled = ''
  #blocks: Token[] = []
  #links: TokensList['links'] = {}

  /** The blocks of what has come so far. Those that cannot change are the same objects each time. */
  read(source: string): Token[] {
    const text = shortenSpace(source)
    if (!text.startsWith(this.#settled)) this.#begin()
    const lexer = new BoundedLexer(OPTIONS)
    Object.assign(lexer.tokens.links, this.#links)
    const tokens = lexer.lex(text.slice(this.#settled.length))
    const open = tokens.filter(isShown)
    const all = [...this.#blocks, ...open]
    const settling = open.length - OPEN_BLOCKS
    if (settling > 0) {
      const raw = tokens.slice(0, tokens.indexOf(open[settling])).map((token) => token.raw)
      this.#settled += raw.join('')
      this.#blocks = all.slice(0, -OPEN_BLOCKS)
      this.#links = lexer.tokens.links
    }
    return all
  }

  /** Forgets a text that another has replaced. */
  #begin(): void {
    this.#settled = ''
    this.#blocks = []
    this.#links = {}
  }
}
