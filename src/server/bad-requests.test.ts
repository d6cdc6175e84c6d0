import { describe, expect, it } from 'vitest'
import { errorOf, testServer } from './testing/serve.js'

const server = await testServer(
  { answer: () => '\nyes' },
  { bodyLimit: 200_000, maxTokens: 100, maxChoices: 4 },
)

const hello = { messages: [{ role: 'user', content: 'hello' }] }
const ask = (body: unknown, init: RequestInit = {}) =>
  errorOf(server.post('/v1/chat/completions', body, init))

describe('a body that cannot be read', () => {
  it.each([
    ['broken JSON', '{"messages": [', 400, 'invalid_json'],
    ['nothing', '', 400, 'invalid_json'],
    ['a list', '[]', 400, 'invalid_type'],
    ['a text', '"hello"', 400, 'invalid_type'],
    ['null', 'null', 400, 'invalid_type'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'invalid_utf8'],
    ['too many bytes', JSON.stringify({ ...hello, user: 'x'.repeat(200_000) }), 413, 'request_too_large'],
  ])('%s', async (_, body, status, code) => {
    expect(await ask(body)).toMatchObject({ status, code, type: 'invalid_request_error' })
  })

  it('that is no JSON by its type is refused, so that no page of another origin can send it unasked', async () => {
    const headers = { 'content-type': 'text/plain' }
    expect(await ask(JSON.stringify(hello), { headers })).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    })
  })
})

describe('a field that is wrong', () => {
  const named = (name: string) => ({ type: 'function', function: { name } })
  const call = { ...named('f') }
  const wrongSchema = {
    type: 'object',
    properties: { list: { anyOf: [{ type: 'null' }, { type: 'text' }] } },
  }
  const wrongCall = {
    type: 'function',
    function: { name: 'h', parameters: { type: 'object', properties: { list: { uniqueItems: true } } } },
  }
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  it.each([
    [{}, 'messages', 'missing_required_parameter'],
    [{ messages: [] }, 'messages', 'invalid_value'],
    [{ messages: 'hello' }, 'messages', 'invalid_value'],
    [{ messages: [{ content: 'hello' }] }, 'messages[0].role', 'missing_required_parameter'],
    [{ messages: [{ role: 'robot', content: 'hello' }] }, 'messages[0].role', 'invalid_value'],
    [{ messages: [{ role: 'user' }] }, 'messages[0].content', 'missing_required_parameter'],
    [{ messages: [{ role: 'user', content: 3 }] }, 'messages[0].content', 'invalid_value'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      'messages[0].content[0].type',
      'invalid_value',
    ],
    [{ messages: [{ role: 'assistant', content: null }] }, 'messages[0].content', 'invalid_value'],
    [
      { messages: [{ role: 'tool', content: '1', tool_call_id: 'a' }] },
      'messages[0].tool_call_id',
      'invalid_value',
    ],
    [{ ...hello, temperature: 'hot' }, 'temperature', 'invalid_value'],
    [{ ...hello, temperature: -1 }, 'temperature', 'invalid_value'],
    [{ ...hello, top_p: 1.5 }, 'top_p', 'invalid_value'],
    [{ ...hello, max_tokens: 0 }, 'max_tokens', 'invalid_value'],
    [{ ...hello, max_tokens: 2.5 }, 'max_tokens', 'invalid_value'],
    [{ ...hello, max_completion_tokens: 101 }, 'max_completion_tokens', 'invalid_value'],
    [{ ...hello, n: 0 }, 'n', 'invalid_value'],
    [{ ...hello, n: 5 }, 'n', 'too_many_choices'],
    [{ ...hello, stop: [1] }, 'stop', 'invalid_value'],
    [{ ...hello, seed: 'x' }, 'seed', 'invalid_value'],
    [{ ...hello, logit_bias: { hello: 1 } }, 'logit_bias.hello', 'invalid_value'],
    [{ ...hello, logit_bias: { 99999999: 1 } }, 'logit_bias', 'invalid_value'],
    [{ ...hello, stream: 'yes' }, 'stream', 'invalid_value'],
    [{ ...hello, stream_options: { include_usage: 1 } }, 'stream_options.include_usage', 'invalid_value'],
    [{ ...hello, prefix: 3 }, 'prefix', 'invalid_value'],
    [{ ...hello, prefix: { id: 'ads', strength: 2 } }, 'prefix.strength', 'invalid_value'],
    [{ ...hello, prefix: { id: 'ads', scale: 1 } }, 'prefix.scale', 'unknown_parameter'],
    [{ ...hello, logprobs: 3 }, 'logprobs', 'invalid_value'],
    [{ ...hello, top_logprobs: 3 }, 'top_logprobs', 'invalid_value'],
    [{ ...hello, logprobs: true, top_logprobs: 21 }, 'top_logprobs', 'invalid_value'],
    [{ ...hello, response_format: { type: 'xml' } }, 'response_format.type', 'invalid_value'],
    [{ ...hello, functions: [{ name: 'f' }] }, 'functions', 'unsupported_parameter'],
    [
      { ...hello, tools: [{ type: 'function', function: {} }] },
      'tools[0].function.name',
      'missing_required_parameter',
    ],
    [{ ...hello, tool_choice: 'required' }, 'tool_choice', 'invalid_value'],
    [{ ...hello, tool_choice: 'any' }, 'tool_choice', 'invalid_value'],
    [{ ...hello, tools: [call], tool_choice: named('g') }, 'tool_choice.function.name', 'invalid_value'],
    [
      { ...hello, tools: [call, wrongCall], tool_choice: 'required' },
      'tools[1].function.parameters.properties.list',
      'invalid_value',
    ],
    [{ ...hello, tools: [call], tool_choice: 'required', stop: 'x' }, 'stop', 'invalid_value'],
    [
      { ...hello, response_format: { type: 'json_schema', json_schema: { schema: wrongSchema } } },
      'response_format.json_schema.schema.properties.list.anyOf[1].type',
      'invalid_value',
    ],
    [
      { ...hello, response_format: { type: 'json_object', schema: { not: {} } } },
      'response_format.schema',
      'invalid_value',
    ],
    [
      { ...hello, response_format: { type: 'json_schema' } },
      'response_format.json_schema',
      'missing_required_parameter',
    ],
    [{ ...hello, grammar: 'root ::= (' }, 'grammar', 'invalid_value'],
    [{ ...hello, grammar: 7 }, 'grammar', 'invalid_value'],
    // Too large, and of more readings than there is memory: both are given up soon.
    [{ ...hello, grammar: 'root ::= ("a"{9999}){9999}' }, 'grammar', 'invalid_value'],
    [
      { ...hello, grammar: 'root ::= s\ns ::= "a" (s "b" | s "c") | "a"{30} "z"', seed: 1 },
      'grammar',
      'invalid_value',
    ],
    [{ ...hello, json_schema: { $ref: '#' } }, 'json_schema', 'invalid_value'],
    [{ ...hello, json_schema: { type: 'integer', minimum: 2, maximum: 1 } }, 'json_schema', 'invalid_value'],
    [{ ...hello, structured_outputs: { choice: [] } }, 'structured_outputs.choice', 'invalid_value'],
    [{ ...hello, structured_outputs: { regex: 'a' } }, 'structured_outputs.regex', 'unsupported_parameter'],
    [{ ...hello, guided_choice: ['a', 1] }, 'guided_choice[1]', 'invalid_value'],
    [{ ...hello, guided_choice: ['a'], grammar: 'root ::= "a"' }, 'guided_choice', 'invalid_value'],
  ])('%j', async (body, param, code) => {
    const error = await ask(body)
    expect(error).toMatchObject({ status: 400, code, param, type: 'invalid_request_error' })
    expect(error.message).toContain(param)
    // In the words of clients, not of the library.
    expect(error.message).not.toMatch(/constraint\.\w/)
  })

  it('is shown in part only', async () => {
    const { message } = await ask({ ...hello, temperature: 'x'.repeat(5000) })
    expect(message.length).toBeLessThan(200)
  })

  it('and a value of a thousand levels do no harm', async () => {
    expect(await ask(`{"messages": ${deep}}`)).toMatchObject({ status: 400, param: 'messages[0]' })
  })
})

describe('an address', () => {
  it('that is not there is 404 in the same shape', async () => {
    for (const response of [
      server.get('/v1/nothing'),
      server.get('/v1/chat/completions'),
      server.post('/', {}),
    ]) {
      expect(await errorOf(response)).toMatchObject({ status: 404, code: 'unknown_url' })
    }
  })
})

describe('the server', () => {
  it('goes on after all of this', async () => {
    expect((await server.chat('hello')).status).toBe(200)
    expect(server.server.running).toBeLessThanOrEqual(1)
  })
})
