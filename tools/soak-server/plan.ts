/** What clients of a soak ask, and what they must get. */

/** A greedy question and its answer, which the library gave before. */
export interface KnownAnswer {
  readonly body: Readonly<Record<string, unknown>>
  readonly content: string
}

/** What clients need to know. */
export interface SoakPlan {
  readonly url: string
  readonly clients: number
  readonly milliseconds: number
  readonly seed: number
  readonly known: readonly KnownAnswer[]
  /** The name of a prefix. */
  readonly prefix: string
}

/** What clients tell at the end. */
export interface SoakResult {
  /** Requests that came to the end that was expected, by what was asked. */
  readonly done: Readonly<Record<string, number>>
  /** Times that a request was refused because too many waited, and asked again. */
  readonly refused: number
  /** Requests that got something else. */
  readonly wrong: readonly string[]
}

const user = (content: string) => [{ role: 'user', content }]

/** Greedy questions; the answers come from the library. */
export const QUESTIONS: readonly (Readonly<Record<string, unknown>> & { readonly max_tokens: number })[] = [
  'What is the capital of China?',
  '你好',
  '12 + 35 = ?',
  '中国的首都是哪里？',
  'Hello!',
].map((content, i) => ({ messages: user(content), temperature: 0, max_tokens: 6 + 2 * i }))

/** A question behind the prefix. */
export const PREFIX_QUESTION = { messages: user('类型#裙*颜色#红色'), temperature: 0, max_tokens: 8 }

/** A request that is refused: its body, and the status and code of the answer. */
export interface BadRequest {
  readonly path: string
  readonly body: string | Uint8Array<ArrayBuffer>
  readonly status: number
  readonly code: string
}

const chat = (body: unknown, status: number, code: string): BadRequest => ({
  path: '/v1/chat/completions',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  status,
  code,
})
const hello = { messages: user('hello') }

export const BAD_REQUESTS: readonly BadRequest[] = [
  chat('{"messages": [', 400, 'invalid_json'),
  chat('[]', 400, 'invalid_type'),
  chat({ ...hello, temperature: 'hot' }, 400, 'invalid_value'),
  chat({ messages: [{ role: 'robot', content: 'x' }] }, 400, 'invalid_value'),
  chat({ ...hello, model: 'gpt-4' }, 404, 'model_not_found'),
  chat({ ...hello, prefix: 'none' }, 404, 'prefix_not_found'),
  chat({ messages: user('字 '.repeat(2000)) }, 400, 'context_length_exceeded'),
  chat({ ...hello, user: 'x'.repeat(200_000) }, 413, 'request_too_large'),
  chat({ ...hello, grammar: 'root ::= (' }, 400, 'invalid_value'),
  chat({ ...hello, json_schema: { $ref: '#' } }, 400, 'invalid_value'),
  chat({ ...hello, json_schema: { type: 'integer', minimum: 2, maximum: 1 } }, 400, 'invalid_value'),
  {
    path: '/v1/completions',
    body: Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d),
    status: 400,
    code: 'invalid_utf8',
  },
  { path: '/v1/completions', body: '{"prompt": [99999999]}', status: 400, code: 'input.token-invalid' },
  { path: '/v1/nothing', body: '{}', status: 404, code: 'unknown_url' },
]
