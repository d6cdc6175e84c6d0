import { describe, expect, it } from 'vitest'
import { errorOf, jsonOf, testServer, until } from './testing/serve.js'

const server = await testServer({}, { name: 'tiny' })
await server.server.addPrefix('ads', 'prefixes/ads')
const { tokenizer } = server.model

describe('GET /v1/models', () => {
  it('lists the model and each prefix with the length of the context', async () => {
    const model = {
      object: 'model',
      owned_by: 'chatglm-webgpu',
      created: expect.any(Number),
      context_length: 512,
      max_model_len: 512,
    }
    const prefix = { ...model, parent: 'tiny', root: 'prefixes/ads', prefix: { length: 8, strength: 1 } }
    expect(await jsonOf(server.get('/v1/models'))).toEqual({
      object: 'list',
      data: [
        { id: 'tiny', ...model },
        { id: 'ads', ...prefix },
      ],
    })
    expect(await jsonOf(server.get('/v1/models/ads'))).toEqual({ id: 'ads', ...prefix })
    expect(await errorOf(server.get('/v1/models/gpt-4'))).toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })
})

describe('the tokenizer', () => {
  const tokenize = async (body: object) =>
    (await jsonOf<{ tokens: number[]; count: number }>(server.post('/tokenize', body))).tokens

  it('cuts texts as the model does', async () => {
    const text = '你好, world'
    expect(await tokenize({ prompt: text, add_special_tokens: false })).toEqual(tokenizer.encode(text))
    expect(await tokenize({ prompt: text })).toEqual(tokenizer.encodePrompt(text))
    expect(await tokenize({ content: text })).toEqual(tokenizer.encode(text))
    expect(await tokenize({ messages: [{ role: 'user', content: text }] })).toHaveLength(
      (await server.model.chat([{ role: 'user', content: text }]).result()).generation.promptTokens,
    )
    expect(await errorOf(server.post('/tokenize', {}))).toMatchObject({ status: 400, param: 'prompt' })
  })

  it('knows the special tokens by name where they stand alone', async () => {
    const ids = await tokenize({ prompt: '</s>', add_special_tokens: false })
    expect(ids).toEqual([tokenizer.special.eos])
    expect(await tokenize({ content: 'a </s>' })).toEqual(tokenizer.encode('a </s>'))
  })

  it('gives texts back', async () => {
    const tokens = tokenizer.encode('你好, world')
    expect(await jsonOf(server.post('/detokenize', { tokens }))).toEqual({
      prompt: '你好, world',
      content: '你好, world',
    })
    expect(await errorOf(server.post('/detokenize', { tokens: [-1] }))).toMatchObject({ param: 'tokens[0]' })
  })

  it('describes itself for lm-evaluation-harness', async () => {
    expect(await jsonOf(server.get('/tokenizer_info'))).toMatchObject({
      eos_token: '</s>',
      bos_token: '<s>',
      pad_token: '<unk>',
      chat_template: expect.stringContaining('messages'),
    })
  })
})

describe('GET /health and /metrics', () => {
  it('say that it serves, and what it did', async () => {
    expect(await jsonOf(server.get('/health'))).toEqual({ status: 'ok' })
    const { usage } = await jsonOf<{ usage: { completion_tokens: number } }>(server.chat('hello'))
    await until(() => server.records.some(({ finishReasons }) => finishReasons !== undefined))
    const text = await (await server.get('/metrics')).text()
    expect(text).toContain('llamacpp:requests_processing{model_name="tiny"} 0')
    expect(text).toContain('vllm:num_requests_waiting{model_name="tiny"} 0')
    expect(text).toContain(`vllm:generation_tokens_total{model_name="tiny"} ${usage.completion_tokens}`)
    expect(text).toContain(`llamacpp:tokens_predicted_total{model_name="tiny"} ${usage.completion_tokens}`)
    expect(text).toContain('vllm:request_success_total{finished_reason="stop",model_name="tiny"} 1')
    expect(text).toContain('vllm:time_to_first_token_seconds_count{model_name="tiny"} 1')
    expect(text).toMatch(/chatglm:http_requests_total\{route="\/v1\/chat\/completions",status="200"/)
  })
})
