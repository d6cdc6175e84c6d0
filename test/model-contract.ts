/** What every model does, wherever it runs: one body of tests for `LocalModel` and `WorkerModel`. */
import type { Model } from '../src/index.js'

const POEM = '类型#裙*颜色#红色*风格#简约'

/** Where the prefix `poem` of the small model is, for the platform of the model. */
export interface ContractFiles {
  readonly poem: string
}

/** Runs in Node and in a page: every answer is data, and what is thrown is told by its code or name. */
export const CONTRACT: Readonly<Record<string, (model: Model, files: ContractFiles) => Promise<unknown>>> = {
  async 'tells what it is, and what it takes'(model) {
    const { contextLength, config, load, memory } = model
    return {
      contextLength,
      layers: config.layers,
      load,
      hasWeights: memory.weights > 0,
      variants: Object.keys(model.variants).sort(),
      adapter: typeof model.adapter.description,
    }
  },

  async 'chats: pieces, then the reply'(model) {
    const stream = model.chat([{ role: 'user', content: '你好' }], { maxTokens: 8, seed: 3 })
    let text = ''
    for await (const piece of stream) text += piece.text
    const { messages, generation } = await stream.result()
    return { text, messages, ids: generation.ids, decoded: model.stats.decodeTokens > 0 }
  },

  async 'continues texts, ids and conversations'(model) {
    const options = { temperature: 0, maxTokens: 4 }
    const { ids } = await model.generate('1+1=', options).result()
    const again = await model
      .generate(
        [64790, 64792, ...ids].map((id) => id % 100),
        options,
      )
      .result()
    const asked = await model.generate([{ role: 'user', content: '你好' }], options).result()
    return [ids, again.ids, asked.ids]
  },

  async 'answers several at once, each by its index'(model) {
    const stream = model.generateBatch(['你', '好'], { temperature: 0, maxTokens: 3 })
    const indices = new Set<number>()
    for await (const { index } of stream) indices.add(index)
    return { indices: [...indices].sort(), texts: (await stream.result()).map(({ text }) => text) }
  },

  async 'gives logits and scores'(model) {
    const logits = await model.logits([5, 6])
    const { tokens, next } = await model.scores([5, 6], { top: 2 })
    return {
      logits: logits.length === 2 * model.config.vocabulary,
      ids: tokens.map(({ id }) => id),
      next: next.map(({ id }) => id),
    }
  },

  async 'takes a prefix until it is unloaded'(model, { poem }) {
    const prefix = await model.loadPrefix(poem)
    const options = { prefix, temperature: 0, maxTokens: 8 }
    const { text } = await model.generate([{ role: 'user', content: POEM }], options).result()
    await model.unloadPrefix(prefix)
    const failure = await model.generate(POEM, options).result().catch(reasonOf)
    return { name: typeof prefix.name, length: prefix.length, text, failure }
  },

  async 'keeps to a constraint'(model) {
    const asked = [{ role: 'user' as const, content: '1 + 1 = 2?' }]
    const options = { temperature: 0, constraint: { choices: ['yes', 'no'] } }
    const { last, generation } = await model.chat(asked, options).result()
    const parameters = { type: 'object', properties: { exact: { type: 'boolean' } }, required: ['exact'] }
    const toolCall = [{ name: 'add', parameters }]
    const call = await model.chat(asked, { temperature: 0, constraint: { toolCall } }).result()
    const constraint = { grammar: 'root ::= (' }
    return {
      isChosen: last.type === 'text' && ['yes', 'no'].includes(last.text),
      finishReason: generation.finishReason,
      call: call.last,
      wrong: await model.generate('a', { constraint }).result().catch(reasonOf),
    }
  },

  async 'refuses wrong options and prompts by code'(model) {
    return {
      temperature: await model.generate('a', { temperature: -1 }).result().catch(reasonOf),
      prompt: await model.generate([-1]).result().catch(reasonOf),
      messages: await model.chat([]).result().catch(reasonOf),
      logits: await model.logits([]).catch(reasonOf),
    }
  },

  async 'ends with the reason of the signal, and by leaving a loop'(model) {
    const abort = new AbortController()
    const stream = model.generate('a', { signal: abort.signal })
    abort.abort(new TypeError('enough'))
    const aborted = await stream.result().catch(reasonOf)
    const left = model.generate('a', { maxTokens: 50 })
    for await (const _ of left) break
    const { ids } = await model.generate('a', { temperature: 0, maxTokens: 2 }).result()
    return { aborted, ids, load: model.load }
  },

  async 'is gone after dispose'(model) {
    model.dispose()
    return {
      chat: await model
        .chat([{ role: 'user', content: 'a' }])
        .result()
        .catch(reasonOf),
      logits: await model.logits([5]).catch(reasonOf),
      prefix: await model.loadPrefix('nowhere').catch(reasonOf),
    }
  },
}

function reasonOf(error: unknown): string {
  return (error as { code?: string }).code ?? (error as Error).name
}
