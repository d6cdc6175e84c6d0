import { describe, expect, it } from 'vitest'
import { GrowingMarkdown, readMarkdown } from '../../demo/src/markdown/read.js'

const TEXT = `# A heading

Words, *slanted*, and
a second line.
Under it
---

| a | b |
|---|--:|
| 1 | 2 |

- one
- two

  still two
  1. inner

  2. inner

> quoted
lazily

\`\`\`python
print(1)

print(2)
\`\`\`
right after
\`\`\`not code\` at all

    indented

    code

<b>bold</b> 汉字。

***

The end.`

const sources = (tokens: readonly { raw: string; type: string }[]) =>
  tokens.map(({ type, raw }) => `${type} ${raw.trimEnd()}`)

describe('a growing Markdown text', () => {
  it.each([1, 2, 7])('has, by pieces of %i, the blocks that it has when read anew', (size) => {
    const growing = new GrowingMarkdown()
    for (let end = size; end < TEXT.length + size; end += size) {
      const text = TEXT.slice(0, end)
      expect(sources(growing.read(text))).toEqual(sources(readMarkdown(text)))
    }
  })

  it('keeps the blocks that cannot change', () => {
    const growing = new GrowingMarkdown()
    const [first, second] = growing.read('one\n\ntwo\n\nthree\n\nfour')
    const later = growing.read('one\n\ntwo\n\nthree\n\nfour\n\nfive')
    expect(later[0]).toBe(first)
    expect(later[1]).toBe(second)
  })

  it('knows references of its beginning', () => {
    const growing = new GrowingMarkdown()
    const text = '[a]: https://example.com\n\none\n\ntwo\n\nthree'
    growing.read(text)
    const last = growing.read(`${text}\n\n[a]`).at(-1)
    expect(last).toMatchObject({ tokens: [{ type: 'link', href: 'https://example.com' }] })
  })

  it('begins anew where another text takes its place', () => {
    const growing = new GrowingMarkdown()
    growing.read('one\n\ntwo\n\nthree\n\nfour')
    expect(sources(growing.read('other\n\ntext'))).toEqual(['paragraph other', 'paragraph text'])
  })
})
