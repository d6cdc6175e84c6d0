import { encodeMessage, pythonJson, TOOLS_SYSTEM_PROMPT, type Tokenizer } from '../tokenizer/index.js'
import { callText } from './parse-messages.js'
import type { Conversation, PromptResponse, TrainingMessage } from './records.js'

/** The label of what is no target. */
export const IGNORED = -100

/** A record as token ids, and whether that cut something off. */
export interface EncodedSample {
  readonly ids: readonly number[]
  /** As many as `ids`: the id itself where it is a target, `IGNORED` elsewhere. */
  readonly labels: readonly number[]
  readonly truncated: boolean
}

/** A piece of a conversation. */
interface Piece {
  readonly ids: readonly number[]
  readonly learnt: boolean
}

/**
 * `InputOutputDataset` of the official scripts, without its padding: `[gMASK] sop` and the prompt, then the response
 * and `</s>`, which are the targets.
 * @param maxSourceLength tokens of the prompt, with the two before it
 * @param maxTargetLength tokens of the response, without `</s>`
 */
export function encodePair(
  tokenizer: Tokenizer,
  { prompt, response }: PromptResponse,
  { maxSourceLength, maxTargetLength }: { maxSourceLength: number; maxTargetLength: number },
): EncodedSample {
  const source = tokenizer.encodePrompt(prompt)
  const target = tokenizer.encode(response)
  const kept = source.slice(0, maxSourceLength)
  const learnt = [...target.slice(0, maxTargetLength), tokenizer.special.eos]
  return {
    ids: [...kept, ...learnt],
    // The official code takes every 0 for padding.
    labels: [...kept.map(() => IGNORED), ...learnt.map((id) => (id === 0 ? IGNORED : id))],
    truncated: source.length > maxSourceLength || target.length > maxTargetLength,
  }
}

/**
 * `format_conversation` and `MultiTurnDataset` of the official scripts, without padding; for conversations without
 * tools the same as `process_batch` of `finetune_hf.py`. A token is a target if the one before it belongs to a message
 * that is learnt: `<|assistant|>` itself is none, and the token that follows an answer is one.
 * @param maxLength tokens of a conversation
 */
export function encodeConversation(
  tokenizer: Tokenizer,
  { conversations, tools }: Conversation,
  maxLength: number,
): EncodedSample {
  const { gMask, sop, eos } = tokenizer.special
  const pieces: Piece[] = [{ ids: [gMask, sop, ...encodeTools(tokenizer, tools)], learnt: false }]
  pieces.push(...conversations.flatMap((message) => encodeTrainingMessage(tokenizer, message)))
  pieces.push({ ids: [eos], learnt: false })
  const ids: number[] = []
  const labels: number[] = []
  let learnt = false
  for (const piece of pieces) {
    for (const id of piece.ids) {
      ids.push(id)
      labels.push(learnt ? id : IGNORED)
      learnt = piece.learnt
    }
  }
  return {
    ids: ids.slice(0, maxLength),
    labels: labels.slice(0, maxLength),
    truncated: ids.length > maxLength,
  }
}

/** The ids of the system message that describes tools; none without tools. */
export function encodeTools(tokenizer: Tokenizer, tools: object | undefined): number[] {
  return tools ? encodeMessage(tokenizer, { role: 'system', content: TOOLS_SYSTEM_PROMPT, tools }) : []
}

/** The ids of a message; a call of a tool is two, the call and the answer. */
export function encodeTrainingMessage(tokenizer: Tokenizer, message: TrainingMessage): Piece[] {
  if (message.role !== 'tool') {
    const learnt = message.role !== 'system' && message.role !== 'user' && message.loss !== false
    const { role, content, metadata } = message
    const text = role === 'assistant' && metadata ? { role, content, metadata } : { role, content }
    return [{ ids: encodeMessage(tokenizer, text), learnt }]
  }
  const { name, parameters, observation } = message
  const answer = typeof observation === 'string' ? observation : pythonJson(observation)
  return [
    {
      ids: encodeMessage(tokenizer, { role: 'assistant', metadata: name, content: callText(parameters) }),
      learnt: message.loss !== false,
    },
    { ids: encodeMessage(tokenizer, { role: 'observation', content: answer }), learnt: false },
  ]
}
