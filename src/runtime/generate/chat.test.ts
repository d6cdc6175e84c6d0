import { describe, expect, it } from 'vitest'
import type { ReplyOptions } from '../../tokenizer/index.js'
import { SegmentReader } from './chat.js'

/** What is shown after each piece. `|` in a piece stands for `<|assistant|>`. */
function read(pieces: readonly string[], options: ReplyOptions = {}) {
  const reader = new SegmentReader(options)
  const shown = pieces.map((piece) =>
    reader.push(piece.replace('|', '<|assistant|>'), piece.endsWith('|')).map(({ text }) => text),
  )
  return { shown: shown.map((texts) => texts.join('')), rest: reader.flush() }
}

describe('an answer as it comes', () => {
  it('is shown from its first token where that cannot begin a header', () => {
    expect(read(['你好', '👋', '\n我']).shown).toEqual(['你好', '👋', '\n我'])
    expect(read([' Hello', ' there']).shown).toEqual(['Hello', ' there'])
  })

  it('loses the empty header and the spaces around it', () => {
    expect(read(['\n', ' 你', '好']).shown).toEqual(['', '你', '好'])
    expect(read(['\n 你', '好']).shown).toEqual(['你', '好'])
  })

  it('is held back while it may name the interpreter', () => {
    expect(read(['int', 'eresting', ' idea']).shown).toEqual(['', 'interesting', ' idea'])
    expect(read(['inter', 'preter']).rest).toEqual([{ text: 'interpreter', segment: 0, metadata: '' }])
  })

  it('says whom a segment is meant for', () => {
    const reader = new SegmentReader({ hasTools: true })
    expect(reader.push('\n I look.', false)).toEqual([{ text: 'I look.', segment: 0, metadata: '' }])
    expect(reader.push('<|assistant|>', true)).toEqual([])
    expect(reader.push(' get_', false)).toEqual([])
    expect(reader.push('weather\n', false)).toEqual([])
    expect(reader.push(' tool', false)).toEqual([{ text: 'tool', segment: 1, metadata: 'get_weather' }])
  })

  it('is text from the first sign that a tool cannot have in its name', () => {
    expect(read(['Let', ' me', ' look\n'], { hasTools: true }).shown).toEqual(['', 'Let me', ' look\n'])
    expect(read(['好', '的，', '我'], { hasTools: true }).shown).toEqual(['', '好的，', '我'])
  })
})
