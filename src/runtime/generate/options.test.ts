/** Options of calls: what is not understood is refused by name, before anything is computed. */
import { describe, expect, it } from 'vitest'
import { hasCode } from '../../errors/index.js'
import { checkOptions, type Schema } from '../../schema/index.js'
import { resolveSampling } from '../engine/index.js'
import { CHAT_SHAPE } from './chat.js'
import { ALIASES, GENERATE_SHAPE } from './generation.js'
import { LOAD_MODEL_SHAPE } from './load-options.js'
import { LOGITS_SHAPE, SCORES_SHAPE } from './model-api.js'

function failure(shape: Readonly<Record<string, Schema>>, options: unknown): string {
  try {
    checkOptions(shape, options as object, ALIASES)
  } catch (error) {
    if (hasCode(error, 'option.invalid')) return error.message
    throw error
  }
  return 'accepted'
}

const HOSTILE: readonly unknown[] = [
  null,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  2 ** 32,
  1e308,
  0.5,
  1n,
  '',
  '0',
  'a'.repeat(10_000),
  true,
  [],
  [null],
  [-1],
  [Number.NaN],
  ['a'],
  [''],
  {},
  { 77: 1e30 },
  { 77: Number.POSITIVE_INFINITY },
  { x: '1' },
  Object.create(null),
  new Map(),
  Symbol('s'),
  () => {},
  new Proxy({}, { get: () => undefined }),
]

describe('options of a generation', () => {
  it('are accepted as they are documented, and where they are undefined', () => {
    const options = {
      temperature: 0.5,
      topK: 0,
      logitBias: { 77: 1000 },
      bannedIds: [[1, 2]],
      stop: ['\n'],
      stopIds: [],
      bannedWords: [''],
      topLogprobs: 20,
      prefix: undefined,
      signal: new AbortController().signal,
    }
    expect(failure(GENERATE_SHAPE, options)).toBe('accepted')
    expect(failure(CHAT_SHAPE, { ...options, tools: [] })).toBe('accepted')
  })

  it.each([
    [{ max_tokens: 5 }, 'Option max_tokens is 5; expected no option of that name; write maxTokens.'],
    [{ max_new_tokens: 5 }, 'write maxTokens'],
    [{ top_p: 0.5 }, 'write topP'],
    [{ stop_token_ids: [2] }, 'write stopIds'],
    [{ tools: [] }, 'there are temperature'],
    [{ constructor: 1 }, 'Option constructor is 1; expected no option of that name; there are'],
    [JSON.parse('{"__proto__": 1}'), 'Option __proto__ is 1'],
    [{ stop: '\n' }, 'Option stop is "\\n"; expected a list of texts.'],
    [{ stop: [''] }, 'Option stop[0] is ""; expected a text that is not empty.'],
    [{ stopIds: [-1] }, 'Option stopIds[0] is -1; expected a token id.'],
    [{ stopIds: [2, Number.NaN] }, 'Option stopIds[1] is NaN; expected a token id.'],
    [
      { topK: 2 ** 32 },
      'Option topK is 4294967296; expected a whole number from 0 (all tokens) to 2^31 - 1.',
    ],
    [
      { logitBias: { 5: Number.POSITIVE_INFINITY } },
      'Option logitBias[5] is Infinity; expected a number from -10000',
    ],
    [{ logitBias: { 5: 1e30 } }, 'Option logitBias[5] is 1e+30'],
    [{ bannedIds: [3] }, 'Option bannedIds[0] is 3; expected a list of token ids.'],
    [{ temperature: '0' }, 'Option temperature is "0"; expected a number from 0'],
    [{ seed: null }, 'Option seed is null; expected a whole number.'],
    [{ signal: {} }, 'Option signal is {}; expected an AbortSignal.'],
    [5, 'The options are 5; expected an object.'],
    [null, 'The options are null; expected an object.'],
    [[], 'The options are []; expected an object.'],
  ])('%j are refused by name', (options, message) => {
    expect(failure(GENERATE_SHAPE, options)).toContain(message)
  })

  it.each(['', '05', '1e3', ' 5', '-1', '1.5', 'a', '0x5', '40', '__proto__'])(
    'have no bias for a token called %j',
    (id) => {
      const logitBias = Object.fromEntries([[id, 1]])
      expect(() => resolveSampling({ logitBias }, 40)).toThrow(`token ids from 0 to 39`)
    },
  )

  it.each([
    ['generate', GENERATE_SHAPE],
    ['chat', CHAT_SHAPE],
    ['logits', LOGITS_SHAPE],
    ['scores', SCORES_SHAPE],
    ['loadModel', LOAD_MODEL_SHAPE],
  ] as const)('of %s are accepted or refused in few words, whatever they hold', (_, shape) => {
    for (const name of [...Object.keys(shape), 'toString', '']) {
      for (const value of HOSTILE) {
        const message = failure(shape as Readonly<Record<string, Schema>>, { [name]: value })
        if (message !== 'accepted') expect(message).toContain(`Option ${name}`)
        expect(message.length).toBeLessThan(700)
      }
    }
  })
})
