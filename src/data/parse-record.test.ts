/** Records as people have them: what they become, and what is refused. */
import { describe, expect, it } from 'vitest'
import { hasCode } from '../errors/index.js'
import { parseJson, pythonJson } from '../tokenizer/index.js'
import { callText } from './parse-messages.js'
import { FORMATS, parseRecord } from './parse-record.js'
import type { Conversation, TrainingRecord } from './records.js'

const parse = (json: string): TrainingRecord =>
  parseRecord({ value: parseJson(json), where: 'data.jsonl, line 3' })

function failure(json: string): string {
  try {
    parse(json)
  } catch (error) {
    if (hasCode(error, 'input.dataset')) return error.message
    throw error
  }
  throw new Error(`${json} was read`)
}

const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })

describe('a record', () => {
  it.each([
    ['{"prompt": "q", "response": "a"}'],
    ['{"prompt": "q", "response": "a", "history": [], "system": null, "tools": "", "id": 7}'],
    ['{"query": "q", "response": "a", "history": null}'],
    ['{"instruction": "q", "input": "", "output": "a", "history": []}'],
  ])('%s is a pair', (json) => {
    expect(parse(json)).toEqual({ prompt: 'q', response: 'a' })
  })

  it('of Alpaca has its input behind the instruction', () => {
    expect(parse('{"instruction": "Translate.", "input": "Hi", "output": "a"}')).toEqual({
      prompt: 'Translate.\nHi',
      response: 'a',
    })
  })

  it.each([
    ['{"prompt": "q", "response": "a", "history": [["q0", "a0"]]}'],
    ['{"query": "q", "response": "a", "history": [["q0", "a0"]]}'],
    ['{"instruction": "q", "output": "a", "history": [["q0", "a0"]]}'],
    [
      '{"prompt": "q", "response": "a", "history": [{"role": "user", "content": "q0"}, {"role": "assistant", "content": "a0", "metadata": ""}]}',
    ],
  ])('%s is a conversation with its earlier turns', (json) => {
    expect(parse(json)).toEqual({ conversations: [user('q0'), assistant('a0'), user('q'), assistant('a')] })
  })

  it.each([
    '{"system": "s", "conversations": [{"role": "user", "content": "q"}]}',
    '{"system": "s", "messages": [{"role": "user", "content": "q"}]}',
    '{"system": "s", "conversations": [{"from": "human", "value": "q"}], "tools": "[]"}',
    '{"messages": [{"from": "system", "value": "s"}, {"from": "user", "value": "q"}]}',
  ])('%s has its system prompt as first message', (json) => {
    expect(parse(json)).toEqual({ conversations: [{ role: 'system', content: 's' }, user('q')] })
  })

  it.each([
    '[{"name": "f", "parameters": {}}]',
    '"[{\\"name\\": \\"f\\", \\"parameters\\": {}}]"',
    '[{"type": "function", "function": {"name": "f", "parameters": {}}}]',
  ])('has the tools %s', (tools) => {
    const { tools: found } = parse(
      `{"messages": [{"role": "user", "content": "q"}], "tools": ${tools}}`,
    ) as Conversation
    expect(found).toEqual([{ name: 'f', parameters: {} }])
  })

  it.each([
    [
      'OpenAI',
      `[{"role": "user", "content": "q"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function":
          {"name": "f", "arguments": "{\\"id\\": 1234567890123456789, \\"x\\": 2.0}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "{}"}, {"role": "assistant", "content": "a"}]`,
    ],
    [
      'ShareGPT',
      `[{"from": "human", "value": "q"},
        {"from": "function_call", "value": "{\\"name\\": \\"f\\", \\"arguments\\": {\\"id\\": 1234567890123456789, \\"x\\": 2.0}}"},
        {"from": "observation", "value": "{}"}, {"from": "gpt", "value": "a"}]`,
    ],
  ])('has calls of tools as %s writes them', (_, messages) => {
    const content = '```python\ntool_call(id=1234567890123456789, x=2.0)\n```'
    expect(parse(`{"messages": ${messages}}`)).toEqual({
      conversations: [
        user('q'),
        { role: 'assistant', metadata: 'f', content },
        { role: 'observation', content: '{}' },
        assistant('a'),
      ],
    })
  })

  it('has each of several calls before its answer', () => {
    const call = (id: string) => `{"id": "${id}", "function": {"name": "${id}", "arguments": {}}}`
    const record = parse(`{"messages": [
      {"role": "assistant", "content": "hm", "tool_calls": [${call('f')}, ${call('g')}]},
      {"role": "tool", "tool_call_id": "g", "content": "2"}, {"role": "tool", "tool_call_id": "f", "content": "1"}]}`)
    const { conversations } = record as Conversation
    expect(
      conversations.map((message) => (message.role === 'tool' ? '' : (message.metadata ?? message.content))),
    ).toEqual(['hm', 'g', '2', 'f', '1'])
    expect(callText({})).toBe('```python\ntool_call()\n```')
  })

  it('says by weight or loss what is learnt from', () => {
    expect(
      parse(
        '{"messages": [{"role": "assistant", "content": "a", "weight": 0}, {"from": "gpt", "value": "b", "loss": true}]}',
      ),
    ).toEqual({
      conversations: [
        { ...assistant('a'), loss: false },
        { ...assistant('b'), loss: true },
      ],
    })
  })

  it('keeps its numbers', () => {
    const tools = '[{"default": 22.0, "max": 1e+16, "enum": {"10": 1234567890123456789, "2": "b"}}]'
    const record = parse(`{"conversations": [{"role": "tool", "name": "f", "parameters": {"x": 1.0},
      "observation": {"total": 22.0}}], "tools": ${tools}}`) as Conversation
    expect(pythonJson(record.tools)).toBe(tools)
    const [call] = record.conversations
    expect(call.role === 'tool' && [callText(call.parameters), pythonJson(call.observation)]).toEqual([
      '```python\ntool_call(x=1.0)\n```',
      '{"total": 22.0}',
    ])
  })

  it.each([
    ['{"prompt": "q", "response": "a", "max_tokens": 3}', 'line 3: max_tokens: no such field is known here'],
    ['{"prompt": "q", "response": "a", "__proto__": {"x": 1}}', '__proto__: no such field'],
    ['{"prompt": "q", "response": "a", "constructor": 1}', 'constructor: no such field'],
    ['{"prompt": "q", "response": "a", "10": 1, "2": 2}', '2, 10: no such field'],
    [
      '{"prompt": "q", "completion": "a"}',
      'completion: no such field is known here, and none is left out in silence. Rename completion to response.',
    ],
    [
      '{"prompt": "q", "response": "a", "history": [["q"]]}',
      'history 0: expected a pair of question and answer',
    ],
    ['{"prompt": "q", "response": "a", "history": "q"}', 'expected history to be a list of earlier turns'],
    ['{"conversations": [], "messages": []}', 'messages: no such field'],
    ['{"chosen": "a", "rejected": "b"}', 'Preferences are not trained on'],
    ['{"system": 1, "prompt": "q", "response": "a"}', 'expected system to be a text, found 1'],
    [
      '{"system": "s", "messages": [{"role": "system", "content": "t"}]}',
      'either system or a system message',
    ],
    [
      '{"prompt": "q", "response": "a", "tools": "f"}',
      'expected tools to be a list or an object, or its JSON',
    ],
    ['{"prompt": "q", "response": "a", "tools": 1.0}', 'expected tools to be a list or an object'],
    ['{"messages": [{"role": "user", "content": "q", "name": "Bo"}]}', 'message 0: name: no such field'],
    [
      '{"messages": [{"role": "user", "content": "q", "weight": 0.5}]}',
      'expected weight to be 0, not to learn',
    ],
    ['{"messages": [{"from": "human", "content": "q"}]}', 'message 0: content: no such field'],
    ['{"messages": [{"from": "bing", "value": "q"}]}', 'expected from to be one of system, human'],
    ['{"messages": [{"role": "assistant"}]}', 'message 0: expected content to be a text, found nothing'],
    ['{"messages": [{"role": "tool", "content": "1"}]}', 'expected a call of a tool before it'],
    [
      '{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "x"}}]}]}',
      'expected arguments to be the JSON of an object',
    ],
    [
      '{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}, {"role": "user", "content": ""}]}',
      'message 1: expected the answer of the tool behind its call',
    ],
  ])('%s is refused', (json, message) => {
    expect(failure(json)).toContain(message)
  })

  it('is refused for any field that its format has not, whatever its name', () => {
    for (const { mark, schema } of FORMATS) {
      const known = Object.keys((schema as unknown as { def: { shape: object } }).def.shape)
      for (const name of ['Prompt', 'functions', 'toString', 'hasOwnProperty', 'valueOf', '']) {
        expect(known).not.toContain(name)
        expect(failure(`{"${mark}": ["x"], ${JSON.stringify(name)}: 1}`)).toContain(`${name}: no such field`)
      }
    }
  })
})
