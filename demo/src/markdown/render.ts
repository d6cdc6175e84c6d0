import DOMPurify from 'dompurify'
import { marked, type Token } from 'marked'

/** A block of Markdown as safe HTML. */
export interface Block {
  readonly html: string
  /** The language and text of a block of code, to be coloured later. */
  readonly code?: { readonly language: string; readonly text: string }
}

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
}

/** Blocks do not change once another follows them, so that only the last is rendered anew while text comes. */
const known = new Map<string, Block>()
const MAX_KNOWN = 500

function render(token: Token): Block {
  const html = DOMPurify.sanitize(marked.parser([token]), ALLOWED)
  if (token.type !== 'code') return { html }
  return { html, code: { language: (token.lang ?? '').split(/\s/)[0], text: token.text as string } }
}

/** The blocks of a Markdown text. */
export function renderMarkdown(text: string): Block[] {
  return marked
    .lexer(text, { gfm: true, breaks: true })
    .filter(({ type }) => type !== 'space' && type !== 'def')
    .map((token) => {
      const key = `${token.type}\n${token.raw}`
      const block = known.get(key) ?? render(token)
      if (known.size >= MAX_KNOWN) known.clear()
      known.set(key, block)
      return block
    })
}
