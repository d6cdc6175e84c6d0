import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { smallTokenizer } from '../../test/fixtures/text/small-tokenizer.js'
import { encodeMessage } from './chat-format.js'
import { parseReply, parseReplyIds } from './reply-parser.js'

const tokenizer = smallTokenizer
const { assistant, eos, user, observation } = tokenizer.special
const call = "```python\ntool_call(symbol='10111')\n```"

describe('a reply', () => {
  it('is text, without the spaces around it', () => {
    expect(parseReply('\n 你好\n')).toEqual({
      segments: [{ type: 'text', text: '你好' }],
      last: { type: 'text', text: '你好' },
      messages: [{ role: 'assistant', metadata: '', content: '你好' }],
    })
    expect(parseReply('one line').last).toEqual({ type: 'text', text: 'one line' })
    expect(parseReply('').last).toEqual({ type: 'text', text: '' })
  })

  it('shows the date of training to the reader and keeps its mark for the model', () => {
    const { last, messages } = parseReply('\n until [[训练时间]], [[训练时间]]')
    expect(last).toEqual({ type: 'text', text: 'until 2023年, 2023年' })
    expect(messages[0].content).toBe('until [[训练时间]], [[训练时间]]')
  })

  it('may be a thought and then the call of a tool, a message each', () => {
    const { segments, last, messages } = parseReply(`\n I look.<|assistant|> track\n ${call}`, {
      hasTools: true,
    })
    expect(segments).toEqual([
      { type: 'text', text: 'I look.' },
      { type: 'tool-call', name: 'track', parameters: { symbol: '10111' } },
    ])
    expect(last).toBe(segments[1])
    expect(messages).toEqual([
      { role: 'assistant', metadata: '', content: 'I look.' },
      { role: 'assistant', metadata: 'track', content: call },
    ])
  })

  it('calls a tool with or without fences around the call', () => {
    for (const content of [
      call,
      `${call}\n`,
      "tool_call(symbol='10111')",
      "```\ntool_call(\n  symbol='10111',\n)\n```",
    ]) {
      expect(parseReply(`track\n ${content}`, { hasTools: true }).last).toEqual({
        type: 'tool-call',
        name: 'track',
        parameters: { symbol: '10111' },
      })
    }
  })

  it('keeps a call that cannot be read, with the reason, so that the conversation can go on', () => {
    const content = '```python\ntool_call(date=today())\n```'
    const { last, messages } = parseReply(`track\n ${content}`, { hasTools: true })
    expect(last).toEqual({
      type: 'invalid-tool-call',
      name: 'track',
      content,
      error: expect.objectContaining({ code: 'input.python-literal' }),
    })
    expect(messages).toEqual([{ role: 'assistant', metadata: 'track', content }])
  })

  it('is code where the conversation has no tools', () => {
    expect(parseReply('\n Hi<|assistant|> interpreter\n ```python\nprint(1)\n\nprint(2)\n```').last).toEqual({
      type: 'code',
      name: 'interpreter',
      content: '```python\nprint(1)\n\nprint(2)\n```',
      code: 'print(1)\n\nprint(2)',
    })
  })

  it('is text where its first line names nobody: no tool, and without tools not the interpreter', () => {
    for (const output of ['Sure!\nThe ring', '好的，\n你好', 'Sure\nThe ring']) {
      expect(parseReply(output).segments).toEqual([{ type: 'text', text: output }])
    }
    expect(parseReply('Sure, here:\nthe ring', { hasTools: true }).last.type).toBe('text')
    expect(parseReply('查询\ntool_call(a=1)', { hasTools: true }).last).toMatchObject({ name: '查询' })
  })

  it('is for a tool that was offered, whatever its name looks like', () => {
    const toolNames = new Set(['look up/2'])
    const { last } = parseReply('look up/2\ntool_call(a=1)', { hasTools: true, toolNames })
    expect(last).toMatchObject({ type: 'tool-call', name: 'look up/2', parameters: { a: 1 } })
    expect(parseReply('look up\ntool_call(a=1)', { hasTools: true, toolNames }).last.type).toBe('text')
  })

  it("is stripped of Python's spaces and of no others", () => {
    expect(parseReply('\n\x1c\x85\u3000 a\ufeff \xa0').last).toEqual({ type: 'text', text: 'a\ufeff' })
  })

  it('is found in any text', () => {
    const part = fc.constantFrom('<|assistant|>', '\n', ' ', '```', 'tool_call(', 'a=1', ')', '你', '"', '\\')
    fc.assert(
      fc.property(
        fc.array(part).map((parts) => parts.join('')),
        fc.boolean(),
        (output, hasTools) => {
          const { segments, messages, last } = parseReply(output, { hasTools })
          expect(messages.length).toBe(output.split('<|assistant|>').length)
          expect(segments.length).toBe(messages.length)
          expect(last).toBe(segments.at(-1))
        },
      ),
    )
  })
})

describe('a reply that is cut off', () => {
  it('ends as a call that cannot be read, also behind a backslash', () => {
    const { last } = parseReply("get\n tool_call(a=r'\\", { hasTools: true })
    expect(last).toMatchObject({ type: 'invalid-tool-call', name: 'get' })
  })

  it('has segments wherever it is cut', () => {
    const reply = `I look.<|assistant|> track\n \`\`\`python\ntool_call(a=r'\\', b="\\"", c='''\\''')\n\`\`\``
    for (let end = 0; end <= reply.length; end++) {
      expect(parseReply(reply.slice(0, end), { hasTools: true }).segments.length).toBeGreaterThan(0)
    }
  })
})

describe('a reply in ids', () => {
  const generated = (...messages: [metadata: string, content: string][]) =>
    messages
      .flatMap(([metadata, content]) => encodeMessage(tokenizer, { role: 'assistant', metadata, content }))
      .slice(1)

  it('ends before the first stop token, or with the last id', () => {
    for (const stop of [[eos], [user], [observation], [], [user, ...tokenizer.encode('你好')]]) {
      expect(parseReplyIds(tokenizer, [...generated(['', 'the ring']), ...stop]).last).toEqual({
        type: 'text',
        text: 'the ring',
      })
    }
  })

  it('is the same as in text', () => {
    const ids = generated(['', 'I look.'], ['track', call])
    const options = { hasTools: true }
    expect(parseReplyIds(tokenizer, [...ids, observation], options)).toEqual(
      parseReply(tokenizer.decode(ids), options),
    )
  })

  it('gives messages that encode to the ids again, so that a cache of them stays valid', () => {
    const ids = generated(['', 'the ring'], ['track', call])
    const { messages } = parseReplyIds(tokenizer, ids, { hasTools: true })
    expect(messages.flatMap((message) => encodeMessage(tokenizer, message))).toEqual([assistant, ...ids])
  })

  it('keeps a role that the model spelled out in text as text', () => {
    const ids = tokenizer.encode('\n a<|assistant|> b\n c')
    expect(parseReplyIds(tokenizer, ids).segments).toEqual([{ type: 'text', text: 'a<|assistant|> b\n c' }])
  })
})
