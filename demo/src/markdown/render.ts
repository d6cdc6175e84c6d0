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

/** Blocks do not change once another follows them, so that only the last is rendered anew while text comes. */
const known = new Map<string, Block>()
const MAX_KNOWN = 2000

function render(token: Token): Block {
  if (token.type !== 'code') return { html: DOMPurify.sanitize(marked.parser([token]), ALLOWED) }
  return { code: { language: (token.lang ?? '').split(/\s/)[0], text: token.text as string } }
}

/** The blocks of a Markdown text. @param growing whether the last one is not whole yet */
export function renderMarkdown(text: string, growing: boolean): Block[] {
  const tokens = marked
    .lexer(text, { gfm: true, breaks: true })
    .filter(({ type }) => type !== 'space' && type !== 'def')
  return tokens.map((token, index) => {
    const key = `${token.type}\n${token.raw}`
    const block = known.get(key) ?? render(token)
    // What is still growing is never asked for again.
    if (!growing || index < tokens.length - 1) remember(key, block)
    return block
  })
}

function remember(key: string, block: Block): void {
  known.delete(key)
  known.set(key, block)
  const [oldest] = known.keys()
  if (known.size > MAX_KNOWN) known.delete(oldest)
}
