import DOMPurify from 'dompurify'
import { marked, type Token } from 'marked'

/** A block of Markdown: safe HTML, or the language and text of code, to be coloured later. */
export type Block =
  | { readonly html: string; readonly code?: undefined }
  | { readonly code: { readonly language: string; readonly text: string } }

// What a model writes can load nothing: no pictures, no forms, no styles.
DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.tagName !== 'A') return
  node.setAttribute('target', '_blank')
  node.setAttribute('rel', 'noopener noreferrer')
})

const ALLOWED = {
  ALLOWED_TAGS:
    'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i input li ol p pre s strong sub sup table tbody td th thead tr ul'.split(
      ' ',
    ),
  ALLOWED_ATTR: ['href', 'title', 'align', 'start', 'type', 'checked', 'disabled'],
  ALLOWED_URI_REGEXP: /^https?:/i,
  // The expression would be asked of these, too.
  ADD_URI_SAFE_ATTR: ['align', 'start', 'type'],
}

/** Blocks by their source, so that a text that is shown again, or whole at last, has the same ones. */
const known = new Map<string, Block>()
const MAX_KNOWN = 2000

/** The same for tokens that are at hand, which need no look at their source. */
const ofToken = new WeakMap<Token, Block>()

function render(token: Token): Block {
  if (token.type !== 'code') return { html: DOMPurify.sanitize(marked.parser([token]), ALLOWED) }
  return { code: { language: (token.lang ?? '').split(/\s/)[0], text: token.text as string } }
}

/** The block of a token. @param whole whether it is, as what is still growing is never asked for again */
function blockOf(token: Token, whole: boolean): Block {
  const rendered = ofToken.get(token)
  if (rendered) return rendered
  const key = `${token.type}\n${token.raw}`
  const block = known.get(key) ?? render(token)
  if (!whole) return block
  remember(key, block)
  ofToken.set(token, block)
  return block
}

/** Renders the blocks of a text. @param growing whether the last one is not whole yet */
export function renderBlocks(tokens: readonly Token[], growing: boolean): Block[] {
  return tokens.map((token, index) => blockOf(token, !growing || index < tokens.length - 1))
}

function remember(key: string, block: Block): void {
  known.delete(key)
  known.set(key, block)
  const [oldest] = known.keys()
  if (known.size > MAX_KNOWN) known.delete(oldest)
}
