import { hasCode } from '../errors/index.js'
import { fields, flag, number, oneOf, optional, text, z } from '../schema/index.js'
import { formatToolCall, parseJson, type ToolParameters } from '../tokenizer/index.js'
import { check, fieldsOf, isFields, refuse } from './check.js'
import type { TextMessage, TrainingMessage } from './records.js'

const ROLES = ['system', 'user', 'assistant', 'observation', 'tool'] as const

/** OpenAI gives a message of the assistant a weight, ms-swift a loss. */
const LEARNT = {
  loss: optional(flag),
  weight: optional(number((value) => value === 0 || value === 1, '0, not to learn from it, or 1')),
}

const TEXT = fields({ role: oneOf(ROLES), content: text, ...LEARNT })

/** A message of the assistant, with calls of tools as OpenAI writes them. */
const ASSISTANT = fields({
  role: oneOf(ROLES),
  content: optional(text),
  metadata: optional(z.string().check(z.regex(/^[^\n]*$/, { error: 'one line' }))),
  tool_calls: optional(
    z.array(
      fields({
        id: optional(text),
        index: optional(z.number()),
        type: optional(z.literal('function', { error: '"function"' })),
        function: fields({ name: text, arguments: z.unknown() }),
      }),
      { error: 'a list of calls' },
    ),
  ),
  ...LEARNT,
})

/** A call with its answer, as the official scripts write them. */
const TOOL = fields({
  role: oneOf(ROLES),
  name: text,
  parameters: z.custom<ToolParameters>(isFields, { error: 'an object by name' }),
  observation: z.custom((value) => value !== undefined, { error: 'what the tool answered' }),
  ...LEARNT,
})

/** The answer to a call, as OpenAI writes it. */
const TOOL_ANSWER = fields({
  role: oneOf(ROLES),
  content: text,
  tool_call_id: optional(text),
  name: optional(text),
})

/** ShareGPT's names of roles. */
const SHAREGPT_ROLES = {
  system: 'system',
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  assistant: 'assistant',
  function_call: 'call',
  observation: 'observation',
  tool: 'observation',
} as const

const SHAREGPT = fields({
  from: oneOf(Object.keys(SHAREGPT_ROLES) as (keyof typeof SHAREGPT_ROLES)[]),
  value: text,
  ...LEARNT,
})

const ADVICE = {
  name: 'A message has no name beside that of a called tool.',
  function_call: 'Write tool_calls, or the role tool with name, parameters and observation.',
  reasoning_content: 'Put it into content, or take it out.',
  train: 'Write loss.',
}

/** A call that waits for its answer. */
interface PendingCall {
  readonly id: string | null | undefined
  readonly message: TextMessage
}

/**
 * Reads the messages of a conversation: as the official scripts write them, as OpenAI does (`tool_calls` and the role
 * `tool`), or as ShareGPT does (`from` and `value`).
 * @throws `input.dataset` naming the message and the field
 */
export function parseMessages(messages: readonly unknown[], where: string): TrainingMessage[] {
  const reader = new MessageReader()
  for (const [index, message] of messages.entries()) {
    const at = `${where}, message ${index}`
    reader.take(fieldsOf(message, at), at)
  }
  return reader.end(where)
}

class MessageReader {
  readonly #messages: TrainingMessage[] = []
  #calls: PendingCall[] = []

  take(message: Readonly<Record<string, unknown>>, where: string): void {
    const { role } = message
    if ('from' in message && role === undefined) this.#takeShareGpt(message, where)
    else if (role === 'tool') this.#takeTool(message, where)
    else if (role === 'assistant') this.#takeAssistant(message, where)
    else this.#takeText(message, where)
  }

  end(where: string): TrainingMessage[] {
    // A conversation may end with a call, which is learnt; others would have no place.
    const [call, ...others] = this.#calls
    if (others.length > 0) throw refuse(where, 'an answer to each call of a tool', 'less')
    if (call) this.#messages.push(call.message)
    return this.#messages
  }

  #takeText(message: unknown, where: string): void {
    const known = check(TEXT, message, where, ADVICE)
    this.#add({ role: known.role as TextMessage['role'], content: known.content, ...learnt(known) }, where)
  }

  #takeAssistant(message: unknown, where: string): void {
    const known = check(ASSISTANT, message, where, ADVICE)
    const { content, metadata, tool_calls: calls } = known
    const hasCalls = calls !== undefined && calls !== null && calls.length > 0
    if (!hasCalls && typeof content !== 'string') throw refuse(where, 'content to be a text', 'nothing')
    if (hasCalls && metadata) throw refuse(where, 'no metadata beside tool_calls')
    if (!hasCalls || content) {
      const to = metadata ? { metadata } : {}
      this.#add({ role: 'assistant', content: content ?? '', ...to, ...learnt(known) }, where)
    }
    for (const { id, function: called } of calls ?? []) this.#call(called, learnt(known), where, id)
  }

  #takeTool(message: Readonly<Record<string, unknown>>, where: string): void {
    if ('content' in message && !('parameters' in message)) {
      const { content, tool_call_id: id } = check(TOOL_ANSWER, message, where, ADVICE)
      this.#answer(content, where, id)
      return
    }
    const known = check(TOOL, message, where, ADVICE)
    const { name, parameters, observation } = known
    if (name.includes('\n')) throw refuse(where, 'name to be one line')
    this.#add({ role: 'tool', name, parameters, observation, ...learnt(known) }, where)
  }

  #takeShareGpt(message: unknown, where: string): void {
    const known = check(SHAREGPT, message, where, ADVICE)
    const role = SHAREGPT_ROLES[known.from as keyof typeof SHAREGPT_ROLES]
    const { value } = known
    if (role === 'call') this.#call(parseObject(value, 'value', where), learnt(known), where)
    else if (role === 'observation' && this.#calls.length > 0) this.#answer(value, where)
    else this.#add({ role, content: value, ...learnt(known) }, where)
  }

  /** What the model writes to call a tool. */
  #call(called: unknown, loss: Learnt, where: string, id?: string | null): void {
    const call = fieldsOf(called, where)
    const { name, arguments: given } = call
    if (typeof name !== 'string' || name === '' || name.includes('\n')) {
      throw refuse(where, 'the call of a tool to have a name of one line')
    }
    const parameters = typeof given === 'string' ? parseObject(given, 'arguments', where) : given
    if (!isFields(parameters)) throw refuse(where, 'arguments to be an object by name, or its JSON')
    const content = callText(parameters as ToolParameters)
    this.#calls.push({ id, message: { role: 'assistant', metadata: name, content, ...loss } })
  }

  #answer(content: string, where: string, id?: string | null): void {
    const index = id ? this.#calls.findIndex((call) => call.id === id) : 0
    const call = this.#calls[index]
    if (!call)
      throw refuse(
        where,
        id ? `a call with the id ${id.slice(0, 40)} before it` : 'a call of a tool before it',
      )
    this.#calls.splice(index, 1)
    this.#messages.push(call.message, { role: 'observation', content })
  }

  #add(message: TrainingMessage, where: string): void {
    if (this.#calls.length > 0) throw refuse(where, 'the answer of the tool behind its call')
    this.#messages.push(message)
  }
}

type Learnt = { readonly loss?: boolean }

function learnt({ loss, weight }: { loss?: boolean | null; weight?: number | null }): Learnt {
  if (typeof loss === 'boolean') return { loss }
  return typeof weight === 'number' ? { loss: weight === 1 } : {}
}

function parseObject(json: string, field: string, where: string): object {
  try {
    const value = parseJson(json)
    if (isFields(value)) return value
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
  }
  throw refuse(where, `${field} to be the JSON of an object`)
}

/** The call of a tool as ChatGLM3 learnt to write it. */
export function callText(parameters: ToolParameters): string {
  return `\`\`\`python\n${formatToolCall(parameters)}\n\`\`\``
}
