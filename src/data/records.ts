import type { ToolParameters } from '../tokenizer/index.js'

/** A prompt and what should follow it: the `input-output` format of the official scripts, without roles. */
export interface PromptResponse {
  readonly prompt: string
  readonly response: string
}

export interface TextMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'observation'
  readonly content: string
  /** Of the assistant: whom the text is meant for, a tool by its name. Default: nobody in particular. */
  readonly metadata?: string
  /** Whether it is learnt from; true unless said otherwise, but never for system and user. */
  readonly loss?: boolean
}

/** A call of a tool and what the tool answered. The answer is never learnt from. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly name: string
  readonly parameters: ToolParameters
  /** A text, or any JSON. */
  readonly observation: unknown
  readonly loss?: boolean
}

export type TrainingMessage = TextMessage | ToolMessage

/** The `multi-turn` format of the official scripts. */
export interface Conversation {
  readonly conversations: readonly TrainingMessage[]
  /** Descriptions of the tools, any list or object; they become a system message before the first one. */
  readonly tools?: object
}

export type TrainingRecord = PromptResponse | Conversation

/** A record as it was read, and where. */
export interface SourceRecord {
  readonly value: unknown
  /** `data.jsonl, line 3`. */
  readonly where: string
}

export function isConversation(record: TrainingRecord): record is Conversation {
  return 'conversations' in record
}
