import { describe, invalidOption, lookAt } from '../errors/index.js'
import { emptyConversation, invalidMessage, misplacedSystemMessage, unknownRole } from './errors.js'
import { entriesOf, pythonJson } from './python-json.js'
import type { Tokenizer } from './tokenizer.js'

export const ROLES = ['system', 'user', 'assistant', 'observation'] as const
export type Role = (typeof ROLES)[number]

/** What the program tells the model before the conversation; it may only come first. */
export interface SystemMessage {
  role: 'system'
  content: string
  /** Descriptions of the tools that the model may call: a list, or an object by name. Any JSON will do. */
  tools?: object
}

export interface UserMessage {
  role: 'user'
  content: string
}

export interface AssistantMessage {
  role: 'assistant'
  /** Whom the text is meant for: a tool by its name, `interpreter`, or nobody in particular if empty. */
  metadata?: string
  content: string
}

/** What a tool or the code interpreter answered. */
export interface ObservationMessage {
  role: 'observation'
  content: string
}

export type Message = SystemMessage | UserMessage | AssistantMessage | ObservationMessage

export interface PromptOptions {
  /** Tools for this conversation, as `tools` of the system message, which may not have its own then. */
  tools?: object
}

/** The system message with which ChatGLM3 learnt to call tools. */
export const TOOLS_SYSTEM_PROMPT =
  'Answer the following questions as best as you can. You have access to the following tools:'

/**
 * The ids with which the model is asked for the next answer, as `build_chat_input` of `tokenization_chatglm.py`
 * gives them: `[gMASK] sop`, every message, `<|assistant|>`.
 *
 * @param messages the conversation, what is to be answered last
 * @throws `input.messages-empty`, `input.role-unknown`, `input.system-misplaced`, `input.message-invalid`,
 *   `input.not-serializable` (tools)
 */
export function buildPrompt(
  tokenizer: Tokenizer,
  messages: readonly Message[],
  { tools }: PromptOptions = {},
): number[] {
  checkMessages(messages)
  const { gMask, sop, assistant } = tokenizer.special
  const ids = withTools(messages, tools).flatMap((message) => encodeMessage(tokenizer, message))
  return [gMask, sop, ...ids, assistant]
}

/**
 * Checks a conversation. Messages often come out of JSON, so nothing is taken from their type.
 * @throws as `buildPrompt`
 */
export function checkMessages(messages: readonly Message[]): void {
  if (!Array.isArray(messages)) throw invalidOption('messages', messages, 'a list of messages')
  if (messages.length === 0) throw emptyConversation()
  for (let index = 0; index < messages.length; index++) {
    const unreadable = () =>
      invalidMessage(index, 'an object', 'something that cannot be read', 'Pass {role, content}.')
    lookAt(unreadable, () => assertMessage(messages[index], index))
  }
}

/**
 * The ids of one message, as `build_single_message` of `tokenization_chatglm.py` gives them: the token of the role,
 * then metadata with a newline, then the text, each encoded by itself. Nothing ends a message but the next role.
 *
 * @param index what number to call the message in an error
 * @throws `input.role-unknown`, `input.message-invalid`, `input.not-serializable` (tools)
 */
export function encodeMessage(tokenizer: Tokenizer, message: Message, index = 0): number[] {
  assertFields(message, index)
  const metadata = message.role === 'assistant' ? (message.metadata ?? '') : ''
  return [
    tokenizer.special[message.role],
    ...tokenizer.encode(`${metadata}\n`),
    ...tokenizer.encode(contentOf(message)),
  ]
}

/** Whether an answer to these messages may be a call of a tool, as `process_response` decides it. */
export function hasTools(messages: readonly Message[], { tools }: PromptOptions = {}): boolean {
  const [first] = Array.isArray(messages) ? messages : []
  return tools !== undefined || (first?.role === 'system' && first.tools !== undefined)
}

/**
 * The names of the tools of a conversation, as far as they have the forms that are usual: a list of objects with a `name`, or
 * with one in `function`, or an object by name.
 */
export function toolNames(messages: readonly Message[], options: PromptOptions = {}): ReadonlySet<string> {
  const [first] = messages
  const tools = options.tools ?? (first?.role === 'system' ? first.tools : undefined)
  // It is looked at before the messages are checked.
  if (typeof tools !== 'object' || tools === null) return new Set()
  const names = Array.isArray(tools) ? tools.map(nameOf) : [...entriesOf(tools)].map(([name]) => name)
  return new Set(names.filter((name) => typeof name === 'string'))
}

function nameOf(tool: unknown): unknown {
  if (typeof tool !== 'object' || tool === null) return undefined
  const fields = new Map(entriesOf(tool))
  return fields.get('name') ?? nameOf(fields.get('function'))
}

function contentOf(message: Message): string {
  if (message.role !== 'system' || message.tools === undefined) return message.content
  return `${message.content}\n${pythonJson(message.tools, 4)}`
}

function withTools(messages: readonly Message[], tools: object | undefined): readonly Message[] {
  if (tools === undefined) return messages
  const [first, ...rest] = messages
  if (first.role !== 'system') return [{ role: 'system', content: TOOLS_SYSTEM_PROMPT, tools }, ...messages]
  if (first.tools !== undefined) {
    const advice = 'Leave out either the tools of the message or those of the options.'
    throw invalidMessage(0, 'no tools beside those of the options', 'its own', advice)
  }
  return [{ ...first, tools }, ...rest]
}

function assertMessage(message: Message, index: number): void {
  assertFields(message, index)
  if (message.role === 'system' && index > 0) throw misplacedSystemMessage(index)
}

/** What to write instead of fields that other programs have. */
const ADVICE: Readonly<Record<string, string>> = {
  tool_calls: 'Give a call as content of a message with the name of the tool as metadata.',
  tool_call_id: 'Give the answer of a tool as a message with the role observation.',
  name: 'Give the name of a called tool as metadata.',
  loss: 'It has a meaning in training data only.',
}

function assertFields(message: unknown, index: number): void {
  if (typeof message !== 'object' || message === null) {
    throw invalidMessage(index, 'an object', describe(message), 'Pass {role, content}.')
  }
  const { role, content, metadata, tools, ...others } = message as Record<string, unknown>
  if (!(ROLES as readonly unknown[]).includes(role)) throw unknownRole(index, role, ROLES)
  const unknown = Object.keys(others).find((name) => others[name] !== undefined)
  if (unknown !== undefined) {
    const advice = Object.hasOwn(ADVICE, unknown) ? ADVICE[unknown] : 'Take it out.'
    throw invalidMessage(
      index,
      'no fields but role, content, metadata and tools',
      unknown.slice(0, 40),
      advice,
    )
  }
  if (typeof content !== 'string') {
    const advice = 'Pass the text of the message, an answer of a tool as JSON text.'
    throw invalidMessage(index, 'content to be a string', describe(content), advice)
  }
  if (metadata !== undefined && metadata !== '') {
    if (role !== 'assistant' || typeof metadata !== 'string' || metadata.includes('\n')) {
      const advice = 'Only an assistant message has metadata: the name of the tool it calls.'
      throw invalidMessage(index, 'metadata of one line from the assistant', describe(metadata), advice)
    }
  }
  if (tools !== undefined && (role !== 'system' || typeof tools !== 'object' || tools === null)) {
    const advice = 'Pass tools as a list or an object, in the system message or the options.'
    throw invalidMessage(index, 'tools of the system message only', describe(tools), advice)
  }
}
