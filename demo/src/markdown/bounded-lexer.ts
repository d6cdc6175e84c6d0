import { Lexer, type Token, type TokensList } from 'marked'

/** Quotes and lists within each other: nobody writes more, and `marked` reads each level anew. */
const MAX_DEPTH = 16
/** The text of a paragraph, a cell or an item: `marked` takes the square of it for some texts. */
const MAX_INLINE = 20_000
/** For these the square is soon too much: a word or a mark without a space, of any script written with spaces. */
const LONG_WORD = /[!-~]{500}/
/** Space of this length is no indentation; the square of it is taken, too. */
const LONG_SPACE = /[ \t]{200,}/g

/** Space that is short enough for {@link BoundedLexer}. */
export function shortenSpace(text: string): string {
  return text.replace(LONG_SPACE, (space) => space.slice(0, 199))
}

/**
 * The lexer of `marked` with limits, so that no text that a model writes can hold the page up or end its script: what
 * goes beyond them stands there as it was written.
 */
export class BoundedLexer extends Lexer {
  #depth = 0

  override blockTokens(source: string, tokens?: Token[], lastParagraphClipped?: boolean): Token[]
  override blockTokens(source: string, tokens?: TokensList, lastParagraphClipped?: boolean): TokensList
  override blockTokens(source: string, tokens: Token[] = [], lastParagraphClipped?: boolean): Token[] {
    if (this.#depth >= MAX_DEPTH) return append(tokens, paragraph(source))
    return this.#deeper(() => super.blockTokens(source, tokens, lastParagraphClipped))
  }

  override inlineTokens(source: string, tokens: Token[] = []): Token[] {
    if (this.#depth >= MAX_DEPTH || source.length > MAX_INLINE || LONG_WORD.test(source)) {
      return append(tokens, plain(source))
    }
    return this.#deeper(() => super.inlineTokens(source, tokens))
  }

  #deeper<T>(read: () => T): T {
    this.#depth++
    try {
      return read()
    } finally {
      this.#depth--
    }
  }
}

function append(tokens: Token[], token: Token): Token[] {
  tokens.push(token)
  return tokens
}

const plain = (text: string): Token => ({ type: 'text', raw: text, text, escaped: false })

const paragraph = (text: string): Token => ({ type: 'paragraph', raw: text, text, tokens: [plain(text)] })
