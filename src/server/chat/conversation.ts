import { hasCode } from '../../errors/index.js'
import type { ToolCallConstraint } from '../../runtime/generate/index.js'
import {
  formatToolCall,
  type JsonValue,
  type Message,
  parseJson,
  TOOLS_SYSTEM_PROMPT,
  type ToolParameters,
} from '../../tokenizer/index.js'
import { badRequest } from '../api-error.js'
import type { ChatRequest, ChatRequestMessage, ChatRequestTool } from '../requests/chat-request.js'

/** A conversation as the library takes it. */
export interface ServedConversation {
  readonly messages: readonly Message[]
  /** What the model may call, in ChatGLM3's form; undefined where it may call nothing. */
  readonly tools: readonly object[] | undefined
  /** The names of the tools. */
  readonly toolNames: ReadonlySet<string>
  /** Set where the answer must be a call of one of the tools, or of the one that is named. */
  readonly mustCall: ToolCallConstraint | undefined
}

/** The fields of a request that make a conversation. */
export type ConversationFields = Pick<ChatRequest, 'messages'> &
  Partial<Pick<ChatRequest, 'tools' | 'tool_choice'>>

type AssistantMessage = Extract<ChatRequestMessage, { role: 'assistant' }>
type ToolMessage = Extract<ChatRequestMessage, { role: 'tool' }>

/**
 * The conversation of a request. System and developer messages at its beginning become one; a call of a tool becomes a
 * message with metadata, and what the tool answered the observation behind it.
 * @throws ApiError 400
 */
export function readConversation({ messages, tools, tool_choice }: ConversationFields): ServedConversation {
  const offered = tool_choice === 'none' ? [] : (tools ?? [])
  const toolNames = new Set(offered.map((tool) => tool.function.name))
  const first = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const system = messages.slice(0, first < 0 ? messages.length : first).map(({ content }) => content ?? '')
  // The model learnt to call tools behind this sentence.
  if (offered.length > 0) system.push(TOOLS_SYSTEM_PROMPT)
  const head: Message[] = system.length > 0 ? [{ role: 'system', content: system.join('\n\n') }] : []
  const rest = first < 0 ? [] : readMessages(messages, first)
  return {
    messages: [...head, ...rest],
    tools: offered.length > 0 ? offered.map(descriptionOf) : undefined,
    toolNames,
    mustCall: mustCall(offered, tool_choice),
  }
}

/** @throws ApiError 400 where something must be called, and there is nothing */
function mustCall(
  tools: readonly ChatRequestTool[],
  choice: ConversationFields['tool_choice'],
): ToolCallConstraint | undefined {
  if (choice === undefined || choice === 'auto' || choice === 'none') return undefined
  if (tools.length > 0)
    return { toolCall: tools, ...(choice !== 'required' && { name: choice.function.name }) }
  const message = `tool_choice is ${JSON.stringify(choice)}, but there are no tools.`
  throw badRequest('invalid_value', message, 'tool_choice')
}

/** A tool as ChatGLM3 saw them in training: what OpenAI's clients put inside `function`. */
function descriptionOf({ function: { name, description, parameters } }: ChatRequestTool): object {
  return {
    name,
    description: description ?? '',
    parameters: parameters ?? { type: 'object', properties: {} },
  }
}

function readMessages(messages: readonly ChatRequestMessage[], first: number): Message[] {
  const read: Message[] = []
  for (let at = first; at < messages.length; ) {
    const message = messages[at]
    if (message.role === 'assistant' && message.tool_calls?.length) {
      const answers = toolMessagesBehind(messages, at)
      read.push(...readCalls(message, at, answers))
      at += 1 + answers.length
    } else if (message.role === 'tool') {
      throw unknownCall(at, message.tool_call_id)
    } else if (message.role === 'assistant' && message.content == null) {
      throw badRequest(
        'invalid_value',
        `messages[${at}].content is null, and there are no tool_calls.`,
        `messages[${at}].content`,
      )
    } else {
      const role = message.role === 'developer' ? 'system' : message.role
      read.push({ role, content: message.content ?? '' })
      at++
    }
  }
  return read
}

interface Answer {
  readonly message: ToolMessage
  readonly index: number
}

function toolMessagesBehind(messages: readonly ChatRequestMessage[], at: number): Answer[] {
  const answers: Answer[] = []
  for (let index = at + 1; index < messages.length; index++) {
    const message = messages[index]
    if (message.role !== 'tool') break
    answers.push({ message, index })
  }
  return answers
}

/** Each call and what it was answered, in the order of the calls. */
function readCalls(
  { content, tool_calls }: AssistantMessage,
  at: number,
  answers: readonly Answer[],
): Message[] {
  const calls = tool_calls ?? []
  const stray = answers.find(({ message }) => !calls.some(({ id }) => id === message.tool_call_id))
  if (stray) throw unknownCall(stray.index, stray.message.tool_call_id)
  const thought: Message[] = content ? [{ role: 'assistant', content }] : []
  return calls.reduce<Message[]>((read, { id, function: { name, arguments: text } }, call) => {
    const path = `messages[${at}].tool_calls[${call}].function.arguments`
    read.push({ role: 'assistant', metadata: name, content: callText(text, path) })
    const answer = answers.find(({ message }) => message.tool_call_id === id)
    if (answer) read.push({ role: 'observation', content: answer.message.content })
    return read
  }, thought)
}

/** A call as the model writes it. */
function callText(text: string, path: string): string {
  const parameters = parseArguments(text)
  // What was no call when the model wrote it is shown to it as it was.
  if (!isObject(parameters)) {
    if (parameters === undefined) return text
    throw badRequest('invalid_value', `${path} is no JSON object.`, path)
  }
  return `\`\`\`python\n${formatToolCall(parameters)}\n\`\`\``
}

/** @returns undefined for what is no JSON */
function parseArguments(text: string): JsonValue | undefined {
  if (text.trim() === '') return {}
  try {
    return parseJson(text)
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
    return undefined
  }
}

function isObject(value: JsonValue | undefined): value is ToolParameters {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Number)
}

function unknownCall(index: number, id: string) {
  const path = `messages[${index}].tool_call_id`
  const message = `${path} is ${JSON.stringify(id)}; expected the id of a call in the assistant message before it.`
  return badRequest('invalid_value', message, path)
}
