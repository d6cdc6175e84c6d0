import { describe, expect, it } from 'vitest'
import { smallTokenizer } from '../../test/fixtures/text/small-tokenizer.js'
import type { ErrorCode } from '../errors/index.js'
import {
  buildPrompt,
  encodeMessage,
  hasTools,
  type Message,
  TOOLS_SYSTEM_PROMPT,
  toolNames,
} from './chat-format.js'

const tokenizer = smallTokenizer
const { gMask, sop, system, user, assistant, observation } = tokenizer.special
const sp = (text: string) => tokenizer.encode(text)
const tools = [{ name: 'track', parameters: {} }]

describe('a prompt', () => {
  it('is [gMASK] sop, each message behind its role and an empty header, and <|assistant|>', () => {
    const messages: Message[] = [
      { role: 'system', content: 'be good' },
      { role: 'user', content: '你好' },
      { role: 'assistant', content: 'the ring' },
      { role: 'user', content: '' },
    ]
    expect(buildPrompt(tokenizer, messages)).toEqual([
      ...[gMask, sop],
      ...[system, ...sp('\n'), ...sp('be good')],
      ...[user, ...sp('\n'), ...sp('你好')],
      ...[assistant, ...sp('\n'), ...sp('the ring')],
      ...[user, ...sp('\n')],
      assistant,
    ])
  })

  it('names the tool in the header of a call and gives its answer as an observation', () => {
    const messages: Message[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', metadata: 'track', content: 'tool_call()' },
      { role: 'observation', content: '{"b": 1}' },
    ]
    expect(buildPrompt(tokenizer, messages)).toEqual([
      ...[gMask, sop, user, ...sp('\n'), ...sp('a')],
      ...[assistant, ...sp('track\n'), ...sp('tool_call()')],
      ...[observation, ...sp('\n'), ...sp('{"b": 1}')],
      assistant,
    ])
  })

  it('keeps the names of special tokens in messages as text', () => {
    const ids = buildPrompt(tokenizer, [{ role: 'user', content: '<|system|>[gMASK]' }])
    expect(ids.filter((id) => tokenizer.isSpecial(id))).toEqual([gMask, sop, user, assistant])
  })

  it('describes tools behind the text of the system message as Python writes JSON', () => {
    const content = 'b\n[\n    {\n        "name": "track",\n        "parameters": {}\n    }\n]'
    expect(encodeMessage(tokenizer, { role: 'system', content: 'b', tools })).toEqual(
      encodeMessage(tokenizer, { role: 'system', content }),
    )
  })

  it('takes tools of the options into the system message, or makes the official one', () => {
    const messages: Message[] = [{ role: 'user', content: 'a' }]
    expect(buildPrompt(tokenizer, messages, { tools })).toEqual(
      buildPrompt(tokenizer, [{ role: 'system', content: TOOLS_SYSTEM_PROMPT, tools }, ...messages]),
    )
    expect(buildPrompt(tokenizer, [{ role: 'system', content: 'b' }, ...messages], { tools })).toEqual(
      buildPrompt(tokenizer, [{ role: 'system', content: 'b', tools }, ...messages]),
    )
  })

  it('may be answered by a call if there are tools in the first message or the options', () => {
    expect(hasTools([{ role: 'system', content: '', tools }])).toBe(true)
    expect(hasTools([{ role: 'user', content: '' }], { tools })).toBe(true)
    expect(hasTools([{ role: 'system', content: '' }])).toBe(false)
    expect(hasTools([])).toBe(false)
  })

  it('has names of tools in every usual form', () => {
    const names = (some: object) => [...toolNames([], { tools: some })]
    expect(
      names([{ name: 'a' }, { type: 'function', function: { name: 'b c' } }, { title: 'd' }, null]),
    ).toEqual(['a', 'b c'])
    expect(names({ a: {}, 'b c': {} })).toEqual(['a', 'b c'])
    expect([...toolNames([{ role: 'system', content: '', tools: [{ name: 'a' }] }])]).toEqual(['a'])
    expect([...toolNames([{ role: 'system', content: '', tools: null as unknown as object }])]).toEqual([])
    expect([...toolNames([])]).toEqual([])
  })
})

describe('a conversation that has no prompt', () => {
  const ok = { role: 'user', content: 'a' }
  const self: object[] = []
  self.push(self)

  it.each<[string, unknown[], ErrorCode, RegExp]>([
    ['is empty', [], 'input.messages-empty', /at least one/],
    [
      'has a role of another model',
      [ok, { role: 'tool', content: '' }],
      'input.role-unknown',
      /Message 1: .*"tool".*observation/,
    ],
    [
      'has no role',
      [{ content: '' }],
      'input.role-unknown',
      /Message 0: expected a role out of system, user,.* nothing/,
    ],
    [
      'has a system message later',
      [ok, { role: 'system', content: '' }],
      'input.system-misplaced',
      /Message 1.*index 0/,
    ],
    [
      'has something else in it',
      [ok, null],
      'input.message-invalid',
      /Message 1: expected an object, found null/,
    ],
    [
      'has content in parts',
      [{ role: 'user', content: [] }],
      'input.message-invalid',
      /content to be a string, found \[\]/,
    ],
    ['has no content', [ok, { role: 'assistant' }], 'input.message-invalid', /Message 1: .*found nothing/],
    [
      'has unknown fields',
      [{ ...ok, tool_calls: [] }],
      'input.message-invalid',
      /found tool_calls. Give a call as/,
    ],
    [
      'names a tool of two lines',
      [{ role: 'assistant', content: '', metadata: 'a\nb' }],
      'input.message-invalid',
      /one line/,
    ],
    [
      'lets the user call a tool',
      [{ role: 'user', content: '', metadata: 'a' }],
      'input.message-invalid',
      /from the assistant/,
    ],
    [
      'has tools elsewhere',
      [{ role: 'user', content: '', tools: [] }],
      'input.message-invalid',
      /tools of the system/,
    ],
    [
      'has tools as text',
      [{ role: 'system', content: '', tools: '[]' }],
      'input.message-invalid',
      /tools of the system/,
    ],
    [
      'has endless tools',
      [{ role: 'system', content: '', tools: self }],
      'input.not-serializable',
      /inside itself/,
    ],
  ])('%s', (_, messages, code, message) => {
    expect(() => buildPrompt(tokenizer, messages as Message[])).toThrow(expect.objectContaining({ code }))
    expect(() => buildPrompt(tokenizer, messages as Message[])).toThrow(message)
  })

  it('has tools twice', () => {
    const messages: Message[] = [{ role: 'system', content: '', tools }]
    expect(() => buildPrompt(tokenizer, messages, { tools })).toThrow(
      expect.objectContaining({ code: 'input.message-invalid' }),
    )
    expect(() => buildPrompt(tokenizer, messages, { tools })).toThrow(/Leave out either/)
  })

  it('has an error that names itself', () => {
    expect(() => buildPrompt(tokenizer, [])).toThrow(
      expect.objectContaining({ code: 'input.messages-empty' }),
    )
    const later = { role: 'system', content: '' } as const
    expect(() => buildPrompt(tokenizer, [later, later])).toThrow(
      expect.objectContaining({ code: 'input.system-misplaced', details: { index: 1 } }),
    )
  })
})
