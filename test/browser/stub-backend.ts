/**
 * A model that answers as a trained one would: it calls the tool it is told of, and says what the tool answered. It can
 * also write at length.
 */
import type { ChatReply, Message, Model } from '../../src/index.js'

const generation: ChatReply['generation'] = {
  ids: [1, 2],
  text: '',
  logprobs: [0, 0],
  finishReason: 'stop',
  stopId: 2,
  promptTokens: 8,
  cachedTokens: 0,
}

/** Asked for by this question: a long answer in Markdown, as a fast model writes it. */
const LONG_QUESTION = 'Write at length'
/** Asked for by this question: an answer that ends at once. */
const SILENT_QUESTION = 'Say nothing'
const SECTION = [
  '## A heading',
  'A paragraph with **bold** and *slanted* words, `code`, and [a link](https://example.com), of some length. '.repeat(
    4,
  ),
  '- one point\n- another point\n- a last point',
  `\`\`\`python\n${'for index in range(10):\n    print(index, "and more")\n'.repeat(8)}\`\`\``,
].join('\n\n')
const SECTIONS = 20
const PIECE_CHARACTERS = 48
const PIECE_MS = 1

function replyTo(messages: readonly Message[], tools: object | undefined): ChatReply {
  const last = messages.at(-1)!
  if (last.role === 'user' && tools) {
    const [{ name }] = tools as { name: string }[]
    const content = "```python\ntool_call(expression='6 * 7')\n```"
    const call = { type: 'tool-call', name, parameters: { expression: '6 * 7' } } as const
    return {
      segments: [call],
      last: call,
      messages: [{ role: 'assistant', metadata: name, content }],
      generation,
    }
  }
  const isLong = last.content === LONG_QUESTION
  const said = last.content === SILENT_QUESTION ? '' : `${last.role}: ${last.content}`
  const text = isLong ? Array(SECTIONS).fill(SECTION).join('\n\n') : said
  const segment = { type: 'text', text } as const
  return { segments: [segment], last: segment, messages: [{ role: 'assistant', content: text }], generation }
}

/** Long enough to do something meanwhile. */
const LOAD_MS = 1000

export async function loadModel(): Promise<Model> {
  await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
  const none = () => Promise.reject(new Error('The stub answers conversations only.'))
  return {
    contextLength: 2048,
    adapter: { vendor: 'stub', architecture: '', device: '', description: 'Stub' },
    memory: { weights: 1, cache: 1, prefixes: 0, activations: 1, total: 3 },
    stats: { prefillTokens: 8, prefillSeconds: 0.1, decodeTokens: 1, decodeSeconds: 0.1 },
    lost: new Promise(() => {}),
    chat(messages: readonly Message[], { tools, signal }: { tools?: object; signal?: AbortSignal } = {}) {
      const reply = replyTo(messages, tools)
      async function* deltas() {
        const { content, metadata = '' } = reply.messages[0]
        const size = metadata ? content.length : PIECE_CHARACTERS
        for (let at = 0; at < content.length; at += size) {
          if (at > 0) await new Promise((resolve) => setTimeout(resolve, PIECE_MS))
          signal?.throwIfAborted()
          yield { text: content.slice(at, at + size), segment: 0, metadata }
        }
      }
      return { [Symbol.asyncIterator]: deltas, result: async () => reply }
    },
    logits: none,
    loadPrefix: none,
    unloadPrefix: none,
    dispose: () => {},
  } as unknown as Model
}
