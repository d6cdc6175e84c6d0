import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openOutput } from './record-files.js'
import { formatRecord, parseRecords } from './records.js'
import { stubLibrary, testIo } from './testing.js'

const library = await stubLibrary()()

describe('records of JSON lines', () => {
  it('are prompts, contents or conversations, with their line', () => {
    const messages = [{ role: 'user', content: 'hi' }]
    const lines = ['{"content":"类型#裙","summary":"…"}', '', '{"prompt":"a","id":7}\r']
    const text = [...lines, JSON.stringify({ messages }), ''].join('\n')
    expect(parseRecords(library, text, 'in', false).map(({ line, prompt }) => [line, prompt])).toEqual([
      [1, [{ role: 'user', content: '类型#裙' }]],
      [3, [{ role: 'user', content: 'a' }]],
      [4, messages],
    ])
  })

  it.each([
    ['{"prompt": "a"', 'expected a JSON object, but it is no JSON'],
    ['[1]', 'expected a JSON object, found [1]'],
    ['null', 'expected a JSON object, found null'],
    [
      '{"text":"a"}',
      'expected a field messages, conversations, prompt, query, instruction, content, found text',
    ],
    ['{"prompt":3}', 'expected prompt to be a text, found 3'],
    ['{"prompt":"a","messages":[]}', 'expected one question, found messages and prompt'],
    ['{"prompt":"a","max_tokens":5}', 'expected no field max_tokens. It is an option of the command'],
    ['{"prompt":"a","functions":[]}', 'Rename functions to tools.'],
    ['{"prompt":"a","system":7}', 'expected system to be a text, found 7'],
    ['{"prompt":"a","history":[["q"]]}', 'history 0: expected a pair of question and answer'],
    ['{"prompt":"a","tools":"get_weather"}', 'expected tools to be a list or an object, or its JSON'],
    ['{"prompt":"a","prompt":"b"}', 'expected no key twice'],
    ['{"messages":[]}', 'expected messages to be a list of messages, found []'],
    ['{"messages":[{"role":"bot","content":"a"}]}', 'message 0: expected role to be one of system, user'],
    ['{"messages":[null]}', 'message 0: expected a JSON object, found null'],
    ['{"messages":[{"role":"user"}]}', 'message 0: expected content to be a text, found nothing'],
    [
      '{"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]}',
      'message 1: expected the system message at the beginning',
    ],
  ])('names the line and what was expected in it: %s', (line, problem) => {
    const parse = () => parseRecords(library, `{"prompt":"fine"}\n\n${line}\n`, 'in.jsonl', false)
    expect(parse).toThrow(`in.jsonl, line 3`)
    expect(parse).toThrow(problem)
  })

  it('have system, tools and history in the conversation', () => {
    const tool = { name: 'f', parameters: {} }
    const lines = [
      { system: 's', prompt: 'q', history: [['q0', 'a0']], response: 'kept' },
      { query: 'q', tools: [{ type: 'function', function: tool }] },
      {
        messages: [
          { role: 'system', content: 's' },
          { role: 'user', content: 'q' },
        ],
        tools: JSON.stringify([tool]),
      },
      { instruction: 'Translate.', input: 'Hi', system: '', tools: [], history: [] },
    ]
    const text = lines.map((line) => JSON.stringify(line)).join('\n')
    const user = (content: string) => ({ role: 'user', content })
    expect(parseRecords(library, text, 'in', false).map(({ prompt }) => prompt)).toEqual([
      [{ role: 'system', content: 's' }, user('q0'), { role: 'assistant', content: 'a0' }, user('q')],
      [{ role: 'system', content: expect.stringContaining('the following tools'), tools: [tool] }, user('q')],
      [{ role: 'system', content: 's', tools: [tool] }, user('q')],
      [user('Translate.\nHi')],
    ])
    for (const beside of ['"system":"s"', '"tools":[{}]', '"history":[["a","b"]]']) {
      expect(() => parseRecords(library, `{"prompt":"a",${beside}}`, 'in', true)).toThrow(
        'beside a raw prompt',
      )
    }
  })

  it('come out with every digit and in their order', () => {
    const line = '{"10":1.0,"2":1234567890123456789,"prompt":"a","x":{"b":1e+16,"a":"\\u2028"},"error":"old"}'
    const [record] = parseRecords(library, line, 'in', false)
    expect(formatRecord(library, record, { generated: 'A', finishReason: 'stop' })).toBe(
      '{"10":1.0,"2":1234567890123456789,"prompt":"a","x":{"b":1e+16,"a":"\u2028"},"generated":"A","finishReason":"stop"}',
    )
  })

  it('refuses conversations as raw prompts, and an input without records', () => {
    const conversation = '{"messages":[{"role":"user","content":"a"}]}'
    expect(() => parseRecords(library, conversation, 'in', true)).toThrow('Messages are no raw prompt')
    expect(() => parseRecords(library, '\n\n', 'in', false)).toThrow('in has no records')
  })
})

describe('an output that is continued', () => {
  const records = parseRecords(
    library,
    '{"prompt":"a","id":1}\n{"prompt":"b","id":2}\n{"prompt":"c"}',
    'in',
    false,
  )
  const lines = ['{"prompt":"a","id":1,"generated":"A"}\n', '{"id":2,"prompt":"b","generated":"B"}\n']
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chatglm-records-'))
    path = join(folder, 'out.jsonl')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const open = (resume = true) => openOutput(library, path, records, resume, testIo())

  it('loses its incomplete last line, though that may end within a character', async () => {
    const incomplete = Buffer.from('{"prompt":"c","generated":"你').subarray(0, -1)
    await writeFile(path, Buffer.concat([Buffer.from(lines.join('')), incomplete]))
    const sink = await open()
    await sink.write(['{"prompt":"c","generated":"C"}'])
    await sink.close()
    expect(sink.before).toBe(2)
    expect(await readFile(path, 'utf8')).toBe(`${lines.join('')}{"prompt":"c","generated":"C"}\n`)
  })

  it('may be empty or not there', async () => {
    const sink = await open()
    await sink.close()
    expect(sink.before).toBe(0)
  })

  it.each([
    ['another order', [lines[1], lines[0]], 'line 1 does not belong to line 1'],
    ['another text', [lines[0], '{"prompt":"x","id":2,"generated":"B"}\n'], 'line 2 does not belong'],
    ['no answers', ['{"prompt":"a","id":1}\n'], 'line 1 does not belong'],
    ['damage', ['{"prompt\n'], 'line 1: expected a JSON object'],
    ['more records', [...lines, ...lines], 'has 4 records, but the input has only 3'],
  ])('belongs to the input, or is refused and left alone: %s', async (_, written, problem) => {
    await writeFile(path, written.join(''))
    await expect(open()).rejects.toThrow(problem)
    expect(await readFile(path, 'utf8')).toBe(written.join(''))
  })

  it('is not overwritten without being asked to continue it', async () => {
    await writeFile(path, lines[0])
    await expect(open(false)).rejects.toThrow('exists already. Add --resume')
  })
})
