import type { Message, Tokenizer } from '../index.js'

/**
 * The ids with which ChatGLM3 is asked for the next answer of a conversation: `[gMASK] sop`, for every message its
 * role, metadata and text, and `<|assistant|>`.
 *
 * @param messages without descriptions of tools
 */
export function conversationIds(tokenizer: Tokenizer, messages: readonly Message[]): number[] {
  const { special } = tokenizer
  const ids = messages.flatMap((message) => [
    special[message.role],
    ...tokenizer.encode(`${message.role === 'assistant' ? (message.metadata ?? '') : ''}\n`),
    ...tokenizer.encode(message.content),
  ])
  return [special.gMask, special.sop, ...ids, special.assistant]
}
