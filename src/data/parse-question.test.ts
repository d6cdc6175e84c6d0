/** Questions of a batch: understood whole, or refused by the name of what is not. */
import { describe, expect, it } from 'vitest'
import { hasCode } from '../errors/index.js'
import { parseJson } from '../tokenizer/index.js'
import { parseQuestion, parseRawQuestion } from './parse-question.js'

function read(json: string, parse: (record: never) => unknown = parseQuestion): unknown {
  try {
    return parse({ value: parseJson(json), where: 'line 1' } as never)
  } catch (error) {
    if (hasCode(error, 'input.dataset')) return error.message
    throw error
  }
}

describe('a question', () => {
  it('has its history, its system prompt and its tools, and what else a record holds besides', () => {
    const json =
      '{"id": 1234567890123456789, "note": "n", "prompt": "q", "history": [["a", "b"]], "system": "s", "tools": [{"name": "f"}]}'
    expect(read(json)).toEqual([
      { role: 'system', content: 's', tools: [{ name: 'f' }] },
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'q' },
    ])
  })

  it.each([
    ['{"prompt": "q", "System": "s"}', 'no field System. Write system'],
    ['{"prompt": "q", "TOOLS": []}', 'no field TOOLS. Write tools'],
    ['{"prompt": "q", "history ": []}', 'Write history'],
    ['{"prompt": "q", "Max-Tokens": 5}', 'Write max_tokens'],
    ['{"prompt": "q", "max_tokens": 5}', 'It is an option of the command'],
    ['{"prompt": "q", "temperature": 0}', 'It is an option of the command'],
    ['{"prompt": "q", "functions": []}', 'Rename functions to tools'],
    ['{"prompt": "q", "query": "r"}', 'one question, found prompt and query'],
    ['{"prompt": ["q"]}', 'prompt to be a text, found ["q"]'],
    ['{"prompt": "q", "system": {"content": "s"}}', 'system to be a text'],
    ['{"prompt": "q", "history": [["a"]]}', 'history 0: expected a pair'],
    ['{"messages": "q"}', 'messages to be a list of messages, found "q"'],
    ['{"messages": [{"role": "user", "content": "q", "name": "n"}]}', 'message 0: name'],
    ['{"messages": [{"role": "developer", "content": "q"}]}', 'found "developer"'],
    ['{"messages": [{"role": "user", "content": "q"}], "history": []}', 'no history beside messages'],
    ['{}', 'found none'],
    ['[]', 'a JSON object, found []'],
  ])('%s is refused by name', (json, problem) => {
    expect(read(json)).toContain(problem)
  })

  it('that is continued as it is has no conversation around it', () => {
    expect(read('{"prompt": "q", "tools": []}', parseRawQuestion)).toBe('q')
    for (const more of ['"system": "s"', '"tools": [{}]', '"history": [["a", "b"]]']) {
      expect(read(`{"prompt": "q", ${more}}`, parseRawQuestion)).toContain('beside a raw prompt')
    }
  })
})
