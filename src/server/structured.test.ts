/** Answers of a form that is asked for, under every name that clients know. */
import type { ChatCompletion } from 'openai/resources/chat/completions'
import type { Completion } from 'openai/resources/completions'
import { describe, expect, it } from 'vitest'
import { jsonOf, testServer } from './testing/serve.js'

const server = await testServer({ answer: () => '\nI say what I like.' })
const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }
const json = /^\{"ok": (true|false)\}$/

describe('an answer', () => {
  it.each<[object, RegExp]>([
    [{ response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema } } }, json],
    [{ response_format: { type: 'json_object', schema } }, json],
    [{ json_schema: schema }, json],
    [{ structured_outputs: { json: schema } }, json],
    [{ guided_json: schema }, json],
    [{ grammar: 'root ::= "ab"{2} | "c"' }, /^(abab|c)$/],
    [{ structured_outputs: { grammar: 'root ::= [0-9]{3}' } }, /^\d{3}$/],
    [{ guided_grammar: 'root ::= [0-9]{3}' }, /^\d{3}$/],
    [{ structured_outputs: { choice: ['好', '差'] } }, /^[好差]$/],
    [{ guided_choice: ['yes', 'no'] }, /^(yes|no)$/],
  ])('keeps to %j, in a chat and behind a text', async (form, expected) => {
    const { choices } = await jsonOf<ChatCompletion>(server.chat('hello', form))
    expect(choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: expect.stringMatching(expected) },
    })
    const completion = { prompt: 'hello', max_tokens: 100, ...form }
    const told = await jsonOf<Completion>(server.post('/v1/completions', completion))
    expect(told.choices[0]).toMatchObject({ finish_reason: 'stop', text: expect.stringMatching(expected) })
  })

  it.each([{ response_format: { type: 'json_object' } }, { structured_outputs: { json_object: true } }])(
    'is a JSON object with %j, or says that it was cut',
    async (form) => {
      const { choices } = await jsonOf<ChatCompletion>(server.chat('hello', { ...form, max_tokens: 40 }))
      const [{ message, finish_reason }] = choices
      expect(message.content).toMatch(/^\{/)
      if (finish_reason === 'stop') expect(typeof JSON.parse(message.content ?? '')).toBe('object')
      else expect(finish_reason).toBe('length')
    },
  )

  it('is free where the field says nothing', async () => {
    const form = { response_format: { type: 'text' }, structured_outputs: null, grammar: null }
    const { choices } = await jsonOf<ChatCompletion>(server.chat('hello', form))
    expect(choices[0].message.content).toBe('I say what I like.')
  })
})
