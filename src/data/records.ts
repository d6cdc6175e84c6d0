import { InputError } from '../errors/index.js'
import type { PythonValue } from '../tokenizer/index.js'
import { describe } from './describe.js'

/** A prompt and what should follow it: the `input-output` format of the official scripts, without roles. */
export interface PromptResponse {
  readonly prompt: string
  readonly response: string
}

export interface TextMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'observation'
  readonly content: string
  /** Whether it is learnt from; true unless said otherwise, but never for system and user. */
  readonly loss?: boolean
}

/** A call of a tool and what the tool answered. The answer is never learnt from. */
export interface ToolMessage {
  readonly role: 'tool'
  readonly name: string
  readonly parameters: Readonly<Record<string, PythonValue>>
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

const TEXT_ROLES = ['system', 'user', 'assistant', 'observation'] as const
const ROLES = [...TEXT_ROLES, 'tool']

export function isConversation(record: TrainingRecord): record is Conversation {
  return 'conversations' in record
}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Checks a record of a data file.
 * @throws `input.dataset` naming the line and what was expected there
 */
export function parseRecord({ value, where }: SourceRecord): TrainingRecord {
  if (!isFields(value))
    throw new InputError('input.dataset', `${where}: expected a JSON object, found ${describe(value)}.`)
  if (value.conversations !== undefined) return parseConversation(value, where)
  if (value.prompt !== undefined || value.response !== undefined) {
    return { prompt: text(value, 'prompt', where), response: text(value, 'response', where) }
  }
  const advice =
    'content' in value && 'summary' in value
      ? ' This is the AdvertiseGen format: convert it with `chatglm data advertise-gen`.'
      : 'NLDocumentation' in value
        ? ' This is the ToolAlpaca format: convert it with `chatglm data tool-alpaca`.'
        : ''
  throw new InputError(
    'input.dataset',
    `${where}: expected the fields prompt and response, or conversations; ` +
      `found ${Object.keys(value).slice(0, 8).join(', ') || 'none'}.${advice}`,
  )
}

function text(fields: Fields, field: string, where: string): string {
  const value = fields[field]
  if (typeof value === 'string') return value
  throw new InputError('input.dataset', `${where}: expected ${field} to be a text, found ${describe(value)}.`)
}

function parseConversation({ conversations, tools }: Fields, where: string): Conversation {
  if (!Array.isArray(conversations) || conversations.length === 0) {
    throw new InputError(
      'input.dataset',
      `${where}: expected conversations to be a list of messages, found ${describe(conversations)}.`,
    )
  }
  const messages = conversations.map((message, index) => parseMessage(message, `${where}, message ${index}`))
  // Other programs write null where a field is absent.
  if (tools === undefined || tools === null) return { conversations: messages }
  if (typeof tools !== 'object') {
    throw new InputError(
      'input.dataset',
      `${where}: expected tools to be a list or an object, found ${describe(tools)}.`,
    )
  }
  return { conversations: messages, tools }
}

function parseMessage(message: unknown, where: string): TrainingMessage {
  if (!isFields(message))
    throw new InputError('input.dataset', `${where}: expected a JSON object, found ${describe(message)}.`)
  const { role, loss, parameters, observation } = message
  if (loss !== undefined && loss !== null && typeof loss !== 'boolean') {
    throw new InputError(
      'input.dataset',
      `${where}: expected loss to be true or false, found ${describe(loss)}.`,
    )
  }
  const learnt = typeof loss === 'boolean' ? { loss } : {}
  if (role === 'tool') {
    if (!isFields(parameters)) {
      throw new InputError(
        'input.dataset',
        `${where}: expected parameters to be an object by name, found ${describe(parameters)}.`,
      )
    }
    if (observation === undefined) {
      throw new InputError(
        'input.dataset',
        `${where}: expected observation, what the tool answered; found nothing.`,
      )
    }
    const name = text(message, 'name', where)
    if (name.includes('\n')) throw new InputError('input.dataset', `${where}: expected name to be one line.`)
    return { role, name, parameters: parameters as ToolMessage['parameters'], observation, ...learnt }
  }
  const textRole = TEXT_ROLES.find((known) => known === role)
  if (!textRole) {
    throw new InputError(
      'input.dataset',
      `${where}: expected the role ${ROLES.join(', ')}; found ${describe(role)}.`,
    )
  }
  return { role: textRole, content: text(message, 'content', where), ...learnt }
}
