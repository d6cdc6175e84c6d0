import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildPrompt, encodeMessage, type Message } from './chat-format.js'
import { pythonJson } from './python-json.js'
import type { PythonValue } from './python-literal.js'
import { formatToolCall } from './python-repr.js'
import { parseReply } from './reply-parser.js'
import { StreamDecoder } from './stream-decoder.js'
import { Tokenizer } from './tokenizer.js'

/** The folder of the official `tokenizer.model`, and the folder with outputs of the official code. */
const { CHATGLM_TOKENIZER, CHATGLM_GOLDEN } = process.env
const isMissing = !CHATGLM_TOKENIZER || !CHATGLM_GOLDEN
const suffix = isMissing ? ' (skipped: CHATGLM_TOKENIZER or CHATGLM_GOLDEN is not set)' : ''

const golden = <T>(name: string): T[] => JSON.parse(readFileSync(join(CHATGLM_GOLDEN!, 'text', name), 'utf8'))

describe.skipIf(isMissing)(`the official tokenizer${suffix}`, () => {
  const tokenizer = isMissing
    ? undefined!
    : Tokenizer.fromSentencePiece(readFileSync(join(CHATGLM_TOKENIZER, 'tokenizer.model')))

  it('has the official ids', () => {
    expect(tokenizer.vocabSize).toBe(64798)
    expect(tokenizer.stopIds).toEqual([2, 64795, 64797])
    expect(tokenizer.special).toMatchObject({
      mask: 64789,
      gMask: 64790,
      sop: 64792,
      system: 64794,
      assistant: 64796,
    })
  })

  it('encodes as SentencePiece does', () => {
    for (const { text, ids, pieces } of golden<{ text: string; ids: number[]; pieces: string[] }>(
      'sp_encode.json',
    )) {
      const encoded = tokenizer.encode(text)
      expect([text, encoded]).toEqual([text, ids])
      expect(encoded.map((id) => tokenizer.vocabulary.piece(id))).toEqual(pieces)
    }
  })

  it('decodes as the official tokenizer does, at once and in a stream', () => {
    for (const { ids, hf_tokenizer_decode } of golden<{ ids: number[]; hf_tokenizer_decode: string }>(
      'decode.json',
    )) {
      expect([ids, tokenizer.decode(ids)]).toEqual([ids, hf_tokenizer_decode])
      const decoder = new StreamDecoder(tokenizer)
      expect(ids.map((id) => decoder.push(id)).join('') + decoder.flush()).toBe(hf_tokenizer_decode)
    }
  })

  it('builds prompts as build_chat_input does', () => {
    interface Row {
      name: string
      call: { query: string; role?: 'user' | 'observation'; history: Message[] }
      ids: number[]
      decoded: string
    }
    for (const { name, call, ids, decoded } of golden<Row>('build_chat_input.json')) {
      const prompt = buildPrompt(tokenizer, [
        ...call.history,
        { role: call.role ?? 'user', content: call.query },
      ])
      expect([name, prompt]).toEqual([name, ids])
      expect(tokenizer.decode(prompt)).toBe(decoded)
    }
  })

  it('encodes the text of the chat template to the same prompt', () => {
    const rows = golden<{ variant: string; messages?: Message[]; text: string; ids: number[] }>(
      'chat_template_text.json',
    )
    // The template of December 2023 had a space before the newline, which the model was not trained with.
    const current = rows.filter(({ variant }) => !variant.startsWith('v_2023-12'))
    expect(current.length).toBeGreaterThan(0)
    for (const { messages, text, ids } of current) {
      const hasPrefix = text.startsWith('[gMASK]')
      const encoded = hasPrefix
        ? tokenizer.encode(text, { allowSpecial: true })
        : tokenizer.encodePrompt(text, { allowSpecial: true })
      expect([text, encoded]).toEqual([text, ids])
      if (messages) expect(buildPrompt(tokenizer, messages)).toEqual(ids)
    }
  })

  it('encodes conversations of the fine-tuning code', () => {
    interface ToolMessage {
      role: 'tool'
      name: string
      parameters: Record<string, PythonValue>
      observation: unknown
    }
    interface Row {
      item?: { tools: object; conversations: (Message | ToolMessage)[] }
      tokens_unpadded?: number[]
    }
    const [{ item, tokens_unpadded }] = golden<Row>('finetune_batches.json').filter(({ item }) => item?.tools)
    const { gMask, sop, eos } = tokenizer.special
    const first: Message = {
      role: 'system',
      content: 'Answer the following questions as best as you can. You have access to the following tools:',
      tools: item!.tools,
    }
    const messages = item!.conversations.flatMap((message): Message[] =>
      message.role === 'tool'
        ? [
            {
              role: 'assistant',
              metadata: message.name,
              content: `\`\`\`python\n${formatToolCall(message.parameters)}\n\`\`\``,
            },
            { role: 'observation', content: pythonJson(message.observation) },
          ]
        : [message],
    )
    // Whether a message is learnt is a matter of training, not of its ids.
    const said = messages.map((message) => {
      const { loss: _, ...plain } = message as Message & { loss?: boolean }
      return plain as Message
    })
    const ids = [first, ...said].flatMap((message) => encodeMessage(tokenizer, message))
    expect([gMask, sop, ...ids, eos]).toEqual(tokens_unpadded)
  })
})

describe.skipIf(!CHATGLM_GOLDEN)(
  `replies${CHATGLM_GOLDEN ? '' : ' (skipped: CHATGLM_GOLDEN is not set)'}`,
  () => {
    it('are taken apart as process_response does, but for spaces around metadata and content', () => {
      interface Official {
        role: string
        metadata: string
        content: string
      }
      interface Row {
        output: string
        history_in: Message[]
        response: string | { name: string; content?: string; parameters?: object }
        history_out: Official[]
      }
      for (const { output, history_in, response, history_out } of golden<Row>('process_response.json')) {
        const [first] = history_in
        const { last, messages } = parseReply(output, { hasTools: 'tools' in first })
        const appended = history_out.slice(history_in.length)
        expect(messages).toEqual(
          appended.map(({ role, metadata, content }) => ({
            role,
            metadata: metadata.trim(),
            content: content.trim(),
          })),
        )
        if (typeof response === 'string') expect(last).toEqual({ type: 'text', text: response })
        else if (response.parameters) expect(last).toEqual({ type: 'tool-call', ...response })
        else
          expect(last).toMatchObject({ type: 'code', name: response.name, content: response.content?.trim() })
      }
    })
  },
)
