import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type DType,
  MemoryFiles,
  openCheckpoint,
  type TensorWithBytes,
  writeSafetensors,
} from '../src/checkpoint/index.js'
import { type LocalModel, loadModel, type Message } from '../src/index.js'
import { randomModel, randomPrefix } from './random-model.js'

const PROMPT = [262, 264, 270, 33, 34, 35, 270, 271]
const WIDTH = 2 * 2 * 32

/** Random bytes may be spaces to Python's `strip` and not to JavaScript's `trim`, so only letters are compared. */
function letters(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '')
}

/** Log softmax of one row. */
function logSoftmax(row: Float32Array): Float64Array {
  const largest = row.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0)
  return Float64Array.from(row, (value) => value - largest - Math.log(total))
}

function argmax(row: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i
  return best
}

describe('generation', () => {
  let model: LocalModel
  beforeAll(async () => {
    model = await loadModel(await randomModel({ matrices: { type: 'q4', groupSize: 32 } }), {
      maxSequences: 3,
      contextLength: 96,
      // What decodes one by one must equal what decodes side by side.
      activations: 'float',
    })
  })
  afterAll(() => model?.dispose())

  const greedy = { temperature: 0, stopIds: [] } as const
  const generate = (prompt: readonly number[], options: object) => model.generate(prompt, options).result()

  it('takes the most likely token at temperature 0, with the log-probability of the model', async () => {
    const { ids, logprobs, finishReason } = await generate(PROMPT, { ...greedy, maxTokens: 6 })
    expect(finishReason).toBe('length')
    const all = [...PROMPT, ...ids]
    const logits = await model.logits(all)
    ids.forEach((id, i) => {
      const row = logits.subarray((PROMPT.length + i - 1) * 320, (PROMPT.length + i) * 320)
      expect(id).toBe(argmax(row))
      // Prefill and decode may compute in different precisions; both are this close to the reference.
      const largest = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expect(Math.abs(logprobs[i] - logSoftmax(row)[id])).toBeLessThan(2e-3 * largest)
    })
  })

  it('gives the same text for the same seed, and another for another', async () => {
    const options = { temperature: 1.5, topK: 0, topP: 1, stopIds: [], maxTokens: 12 }
    const first = await generate(PROMPT, { ...options, seed: 7 })
    expect((await generate(PROMPT, { ...options, seed: 7 })).ids).toEqual(first.ids)
    expect((await generate(PROMPT, { ...options, seed: 8 })).ids).not.toEqual(first.ids)
  })

  it('answers several prompts of different lengths side by side as it does one by one', async () => {
    const prompts = [PROMPT, [262, 264], PROMPT.slice(0, 5), [262, 264, 9, 8, 7, 6, 5, 4, 3, 260, 261]]
    const prefix = await model.loadPrefix(await randomPrefix(6, WIDTH))
    for (const options of [greedy, { ...greedy, prefix }]) {
      const together = await model.generateBatch(prompts, { ...options, maxTokens: 5 }).result()
      for (const [index, prompt] of prompts.entries()) {
        expect(together[index].ids).toEqual((await generate(prompt, { ...options, maxTokens: 5 })).ids)
      }
    }
    await model.unloadPrefix(prefix)
  })

  it('holds a prefix once for all answers behind it', async () => {
    await model.changeWeights(async () => {})
    const prefix = await model.loadPrefix(await randomPrefix(64, WIDTH))
    const page = 64 * WIDTH * 2
    const prompts = [1, 2, 3].map((id) => [id, ...PROMPT])
    const before = model.memory.cacheUsed
    await model.generateBatch(prompts, { ...greedy, maxTokens: 4, prefix }).result()
    // A page of the prefix, and one of each answer.
    expect(model.memory.cacheUsed - before).toBe(4 * page)
    await model.unloadPrefix(prefix)
    expect(model.memory.cacheUsed).toBe(before)
  })

  it('gives calls made at the same time what they get alone, each with options of its own', async () => {
    const prefix = await model.loadPrefix(await randomPrefix(6, WIDTH))
    const calls = [
      {
        prompt: PROMPT,
        options: { temperature: 1.2, topK: 0, topP: 1, seed: 3, stopIds: [], maxTokens: 14 },
      },
      { prompt: [5, 6, 7], options: { ...greedy, maxTokens: 20, prefix, prefixStrength: 0.5 } },
      {
        prompt: PROMPT.slice(2),
        options: { ...greedy, maxTokens: 9, logitBias: { 77: 1000, 78: 900 }, presencePenalty: 500 },
      },
      {
        prompt: PROMPT,
        options: { temperature: 0.7, seed: 9, stopIds: [], maxTokens: 11, bannedIds: [[262, 264]], prefix },
      },
      {
        prompt: [9, 9, 9, 9],
        options: { temperature: 2, topP: 0.9, seed: 1, stopIds: [40, 41, 42], maxTokens: 25 },
      },
    ]
    const alone: (readonly number[])[] = []
    for (const { prompt, options } of calls) alone.push((await generate(prompt, options)).ids)
    const together = await Promise.all(calls.map(({ prompt, options }) => generate(prompt, options)))
    expect(together.map(({ ids }) => ids)).toEqual(alone)
    await model.unloadPrefix(prefix)
  })

  it('takes turns where the cache is too small for all, with the same ids', async () => {
    const small = await loadModel(await randomModel({ matrices: { type: 'q4', groupSize: 32 } }), {
      maxSequences: 3,
      contextLength: 150,
      cacheTokens: 256,
      chunkTokens: 16,
      activations: 'float',
    })
    const prompts = [1, 2, 3].map((seed) => Array.from({ length: 50 }, (_, i) => (i * 7 + seed * 31) % 320))
    const options = { temperature: 1, stopIds: [], maxTokens: 90 }
    const together = await Promise.all(
      prompts.map((prompt, seed) => small.generate(prompt, { ...options, seed }).result()),
    )
    for (const [seed, prompt] of prompts.entries()) {
      expect((await small.generate(prompt, { ...options, seed }).result()).ids).toEqual(together[seed].ids)
    }
    small.dispose()
  })

  it('stops at a stop id, which is not part of the answer', async () => {
    const options = { temperature: 1, seed: 4, maxTokens: 8 }
    const { ids } = await generate(PROMPT, { ...options, stopIds: [] })
    const at = ids.findIndex((id, i) => i > 1 && ids.indexOf(id) === i)
    const stopped = await generate(PROMPT, { ...options, stopIds: [ids[at]] })
    expect(stopped).toMatchObject({ ids: ids.slice(0, at), finishReason: 'stop', stopId: ids[at] })
  })

  it('stops at a stop text, of which nothing is given out', async () => {
    const options = { temperature: 1, seed: 3, stopIds: [], maxTokens: 30 }
    const whole = await generate(PROMPT, options)
    const stop = whole.text.slice(4, 6)
    const pieces: string[] = []
    const stream = model.generate(PROMPT, { ...options, stop: [stop] })
    for await (const { text } of stream) pieces.push(text)
    const { text, finishReason } = await stream.result()
    expect(finishReason).toBe('stop')
    expect(text).toBe(whole.text.slice(0, whole.text.indexOf(stop)))
    expect(pieces.join('')).toBe(text)
  })

  it('never samples banned ids, sequences and biased ids', async () => {
    const { ids } = await generate(PROMPT, { ...greedy, maxTokens: 3 })
    const banned = await generate(PROMPT, {
      ...greedy,
      maxTokens: 3,
      bannedIds: [[ids[0]], [ids[1], ids[2]]],
    })
    expect(banned.ids).not.toContain(ids[0])
    const biased = await generate(PROMPT, { ...greedy, maxTokens: 3, logitBias: { 77: 1000 } })
    expect(biased.ids).toEqual([77, 77, 77])
    const penalised = await generate(PROMPT, {
      ...greedy,
      maxTokens: 3,
      logitBias: { 77: 1000, 78: 900 },
      presencePenalty: 500,
    })
    expect(penalised.ids).toEqual([77, 78, 77])
  })

  it('never writes banned words, at the start of the answer or in its middle', async () => {
    const options = { temperature: 1.5, topK: 0, topP: 1, stopIds: [], maxTokens: 20, seed: 2 }
    const word = '好'
    const { ids } = await generate(PROMPT, {
      ...options,
      logitBias: { [model.tokenizer.encode(`a${word}`)[1]]: 50 },
    })
    expect(model.tokenizer.decode(ids)).toContain(word)
    const clean = await generate(PROMPT, {
      ...options,
      logitBias: { [model.tokenizer.encode(`a${word}`)[1]]: 50 },
      bannedWords: [word],
    })
    expect(clean.text).not.toContain(word)
  })

  it('ends at the end of the context, with the reason', async () => {
    const prompt = Array.from({ length: 90 }, (_, i) => (i * 31 + 5) % 320)
    const { ids, finishReason } = await generate(prompt, greedy)
    expect(ids).toHaveLength(6)
    expect(finishReason).toBe('context')
  })

  it('stops at once when aborted, and can be used again', async () => {
    const before = await generate(PROMPT, { ...greedy, maxTokens: 3 })
    const controller = new AbortController()
    const stream = model.generate(PROMPT, { ...greedy, signal: controller.signal })
    const seen: number[] = []
    const consume = async () => {
      for await (const { id } of stream) {
        seen.push(id)
        if (seen.length === 2) controller.abort(new Error('enough'))
      }
    }
    await expect(consume()).rejects.toThrow('enough')
    expect(seen.length).toBeLessThan(6)
    expect((await generate(PROMPT, { ...greedy, maxTokens: 3 })).ids).toEqual(before.ids)
  })

  it('ends when the loop is left, and answers others meanwhile', async () => {
    const first = model.generate(PROMPT, greedy)
    const second = generate(PROMPT, { ...greedy, maxTokens: 2 })
    for await (const _ of first) break
    expect((await second).ids).toHaveLength(2)
    await expect(first.result()).rejects.toThrow('left before its end')
  })

  it('computes only what the cache does not hold, with the same result', async () => {
    const first = await generate(PROMPT, { ...greedy, maxTokens: 4 })
    const next = [...PROMPT, ...first.ids, 40, 41, 42]
    const warm = await generate(next, { ...greedy, maxTokens: 4 })
    // The last id was sampled; a step that was under way may have fed it, too.
    const fed = PROMPT.length + first.ids.length
    expect([fed - 1, fed]).toContain(warm.cachedTokens)
    expect(model.stats.prefillTokens).toBe(next.length - warm.cachedTokens)
    // What others do meanwhile leaves it alone.
    await generate([1, 2, 3], { ...greedy, maxTokens: 1 })
    expect((await generate(next, { ...greedy, maxTokens: 4 })).cachedTokens).toBe(next.length - 1)
    await model.changeWeights(async () => {})
    const cold = await generate(next, { ...greedy, maxTokens: 4 })
    expect(cold.cachedTokens).toBe(0)
    expect(warm.ids).toEqual(cold.ids)
  })

  it('keeps several prefixes, chosen per call', async () => {
    const [a, b] = [
      await model.loadPrefix(await randomPrefix(4, WIDTH, 11)),
      await model.loadPrefix(await randomPrefix(9, WIDTH, 12)),
    ]
    const options = { ...greedy, maxTokens: 6 }
    const none = await generate(PROMPT, options)
    const withA = await generate(PROMPT, { ...options, prefix: a })
    const withB = await generate(PROMPT, { ...options, prefix: b })
    expect(withA.ids).not.toEqual(none.ids)
    expect(withB.ids).not.toEqual(withA.ids)
    expect((await generate(PROMPT, { ...options, prefix: a })).ids).toEqual(withA.ids)
    expect((await generate(PROMPT, { ...options, prefix: a, prefixStrength: 0 })).ids).toEqual(none.ids)
    expect((await generate(PROMPT, options)).ids).toEqual(none.ids)
    // Another strength changes what the cache holds, so nothing of it may be reused.
    await generate(PROMPT, { ...options, prefix: a })
    expect((await generate(PROMPT, { ...options, prefix: a, prefixStrength: 0.5 })).cachedTokens).toBe(0)
    const before = model.memory.prefixes
    await model.unloadPrefix(b)
    expect(model.memory.prefixes).toBeLessThan(before)
    await expect(generate(PROMPT, { ...options, prefix: b })).rejects.toMatchObject({
      code: 'input.prefix-unloaded',
    })
    await model.unloadPrefix(a)
  })

  it('picks a prefix out of a whole checkpoint', async () => {
    const whole = await randomModel()
    const prefix = await randomPrefix(4, WIDTH, 11)
    const bytes = await prefix.read('model.safetensors', 0, await prefix.size('model.safetensors'))
    const { tensors } = await openCheckpoint(whole)
    const both: TensorWithBytes[] = []
    for (const { name, dtype, shape } of tensors.values()) {
      both.push({ name, dtype: dtype as DType, shape, bytes: await (await openCheckpoint(whole)).read(name) })
    }
    const encoder = 'transformer.prefix_encoder.embedding.weight'
    both.push({ name: encoder, dtype: 'F32', shape: [4, WIDTH], bytes: bytes.slice(-4 * WIDTH * 4) })
    const files = new MemoryFiles([], 'a trained model')
    await writeSafetensors(files, 'model.safetensors', both)
    const [alone, picked] = [await model.loadPrefix(prefix), await model.loadPrefix(files)]
    const options = { ...greedy, maxTokens: 5 }
    const expected = await generate(PROMPT, { ...options, prefix: alone })
    expect((await generate(PROMPT, { ...options, prefix: picked })).ids).toEqual(expected.ids)

    // The official fine-tuning saves the whole model, and says so in config.json: it answers with its prefix.
    const config = { ...((await openCheckpoint(whole)).config as object), pre_seq_len: 4 }
    const saved = new MemoryFiles([
      ['config.json', new TextEncoder().encode(JSON.stringify(config))],
      ['model.safetensors', await files.read('model.safetensors', 0, await files.size('model.safetensors'))],
      ['tokenizer.model', await whole.read('tokenizer.model', 0, await whole.size('tokenizer.model'))],
    ])
    const warnings: string[] = []
    const trained = await loadModel(saved, { onProgress: ({ warning }) => warning && warnings.push(warning) })
    expect(warnings).toEqual([expect.stringContaining('prefix of 4 rows')])
    const answer = async (more: object) =>
      (await trained.generate(PROMPT, { ...options, ...more }).result()).ids
    const given = await answer({ prefix: await trained.loadPrefix(prefix) })
    const without = await answer({ prefixStrength: 0 })
    expect(await answer({})).toEqual(given)
    expect(without).not.toEqual(given)
    await trained.unloadPrefix(trained.ownPrefix!)
    expect(await answer({})).toEqual(without)
    trained.dispose()
  })

  it('chats: takes the header off, streams the rest, and gives messages to go on with', async () => {
    const messages: Message[] = [{ role: 'user', content: '你好' }]
    const stream = model.chat(messages, { temperature: 1, seed: 5, maxTokens: 20, stopIds: [] })
    let text = ''
    for await (const delta of stream) if (delta.segment === 0) text += delta.text
    const reply = await stream.result()
    expect(reply.generation.ids.length).toBe(20)
    expect(letters(text)).toBe(letters(reply.messages[0].content))
    const again = [...messages, ...reply.messages, { role: 'user', content: '好' } as const]
    expect((await model.chat(again, { maxTokens: 2 }).result()).generation.promptTokens).toBeGreaterThan(10)
  })

  describe('refuses what it cannot do, with an error of its own, and stays usable', () => {
    it.each([
      ['an empty prompt', [], {}, 'input.tokens-empty', 'no tokens'],
      ['an id outside the vocabulary', [1, 320], {}, 'input.token-invalid', 'Token 1 of the prompt is 320'],
      ['a prompt beyond the context', Array(96).fill(1), {}, 'input.context-overflow', '96 tokens'],
      ['a negative temperature', PROMPT, { temperature: -1 }, 'option.invalid', 'temperature is -1'],
      ['a probability above 1', PROMPT, { topP: 1.5 }, 'option.invalid', 'topP is 1.5'],
      ['half a token', PROMPT, { maxTokens: 0.5 }, 'option.invalid', 'maxTokens is 0.5'],
      ['an unknown id in a bias', PROMPT, { logitBias: { 400: 1 } }, 'option.invalid', 'logitBias'],
      ['a strength above 1', PROMPT, { prefixStrength: 2 }, 'option.invalid', 'prefixStrength is 2'],
      ['too many stop ids', PROMPT, { stopIds: Array(17).fill(1) }, 'option.invalid', 'stopIds'],
    ])('%s', async (_, prompt, options, code, message) => {
      await expect(generate(prompt, options)).rejects.toMatchObject({ code })
      await expect(generate(prompt, options)).rejects.toThrow(message)
      expect((await generate(PROMPT, { ...greedy, maxTokens: 1 })).ids).toHaveLength(1)
    })

    it('an unknown role and an empty conversation', async () => {
      const wrong = [{ role: 'robot', content: 'x' }] as unknown as Message[]
      await expect(model.chat(wrong).result()).rejects.toMatchObject({ code: 'input.role-unknown' })
      await expect(model.chat([]).result()).rejects.toMatchObject({ code: 'input.messages-empty' })
    })

    it('a prefix of another model, and a file without one', async () => {
      await expect(model.loadPrefix(await randomPrefix(4, WIDTH + 32))).rejects.toMatchObject({
        code: 'checkpoint.prefix-invalid',
      })
      await expect(model.loadPrefix(await randomModel())).rejects.toThrow('holds no P-Tuning v2 prefix')
    })
  })
})

describe('a model that breaks', () => {
  it('reports NaN in the logits with the position, and is not silently wrong afterwards', async () => {
    const files = await randomModel()
    const broken = await files.read('model.safetensors', 0, await files.size('model.safetensors'))
    // The last f16 of the file belongs to the output layer or a norm; 0x7e00 is NaN.
    broken.set([0x00, 0x7e], broken.byteLength - 2)
    const model = await loadModel(files)
    await expect(model.generate(PROMPT, { maxTokens: 2 }).result()).rejects.toMatchObject({
      code: 'checkpoint.not-finite',
    })
    await expect(model.generate(PROMPT, { maxTokens: 2 }).result()).rejects.toThrow('position 8')
    model.dispose()
  })

  it('ends the running call when the device is lost, and can be loaded again in the same process', async () => {
    const files = await randomModel()
    const adapter = await navigator.gpu.requestAdapter()
    const requestDevice = adapter!.requestDevice.bind(adapter)
    let device: GPUDevice | undefined
    adapter!.requestDevice = async (descriptor) => {
      device = await requestDevice(descriptor)
      return device
    }
    const model = await loadModel(files, { device: adapter! })
    const consume = async () => {
      for await (const _ of model.generate(PROMPT, { stopIds: [] })) device!.destroy()
    }
    await expect(consume()).rejects.toMatchObject({ code: 'device.lost' })
    await expect(model.generate(PROMPT).result()).rejects.toMatchObject({ code: 'device.lost' })
    const again = await loadModel(files)
    expect((await again.generate(PROMPT, { stopIds: [], maxTokens: 3 }).result()).ids).toHaveLength(3)
    again.dispose()
  })

  it('cannot be used once it is disposed of', async () => {
    const model = await loadModel(await randomModel())
    model.dispose()
    await expect(model.generate(PROMPT).result()).rejects.toMatchObject({ code: 'device.disposed' })
    await expect(model.logits(PROMPT)).rejects.toMatchObject({ code: 'device.disposed' })
  })
})
