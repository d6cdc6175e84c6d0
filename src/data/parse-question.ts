import { fields, findRefusal, optional, type Schema, text, z } from '../schema/index.js'
import { type Message, pythonJson, TOOLS_SYSTEM_PROMPT } from '../tokenizer/index.js'
import { fieldsOf, ofRecord, refuse } from './check.js'
import { callText, parseMessages } from './parse-messages.js'
import { parseHistory, parseTools } from './parse-record.js'
import type { SourceRecord, TrainingMessage } from './records.js'

type Fields = Readonly<Record<string, unknown>>

/** Where the question of a record stands; a record has one of them. */
const MESSAGES_FIELDS = ['messages', 'conversations'] as const
const TEXT_FIELDS = ['prompt', 'query', 'instruction', 'content'] as const

/** What a record is understood by; it may have other fields, which go into the output as they are. */
export const QUESTION_FIELDS = {
  messages: z.array(z.unknown(), { error: 'a list of messages' }),
  conversations: z.array(z.unknown(), { error: 'a list of messages' }),
  prompt: text,
  query: text,
  instruction: text,
  content: text,
  input: optional(text),
  history: z.unknown(),
  system: optional(text),
  tools: z.unknown(),
} as const satisfies Readonly<Record<string, Schema>>

/** Fields that would change the answer in other programs, and do not here. */
const MISPLACED: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...['temperature', 'top_p', 'top_k', 'max_tokens', 'max_new_tokens', 'max_length', 'seed', 'stop'],
    ...['repetition_penalty', 'presence_penalty', 'frequency_penalty'],
  ].map((name) => [name, 'It is an option of the command, the same for all records.']),
)
const ADVICE: Readonly<Record<string, string>> = {
  ...MISPLACED,
  functions: 'Rename functions to tools.',
  tool_choice: 'The model itself chooses; leave it out.',
  system_prompt: 'Rename system_prompt to system.',
  images: 'Only text can be asked.',
}

/**
 * What a record of a batch asks: a conversation to answer. `system` becomes its first message, `history` its earlier
 * turns, `tools` are described in the system message.
 * @throws `input.dataset` naming the line, the field, and what was expected there
 */
export function parseQuestion(record: SourceRecord): readonly Message[] {
  return ofRecord(record, readQuestion)
}

function readQuestion({ value, where }: SourceRecord): readonly Message[] {
  const record = fieldsOf(value, where)
  const field = questionField(record, [...MESSAGES_FIELDS, ...TEXT_FIELDS], where)
  const given = MESSAGES_FIELDS.find((name) => name === field)
  const earlier = given
    ? checkedMessages(record[given] as readonly unknown[], where)
    : [
        ...parseHistory(record.history, where),
        { role: 'user', content: questionText(record, field) } as const,
      ]
  if (given && record.history !== undefined) throw refuse(where, `no history beside ${given}`)
  const messages = earlier.flatMap(toMessages)
  const { system } = record
  if (typeof system === 'string' && system !== '') {
    if (messages[0].role === 'system') throw refuse(where, 'either system or a system message', 'both')
    messages.unshift({ role: 'system', content: system })
  }
  const late = messages.findIndex(({ role }, index) => role === 'system' && index > 0)
  if (late > 0) throw refuse(`${where}, message ${late}`, 'the system message at the beginning')
  return withTools(messages, parseTools(record.tools, where))
}

/**
 * The text of a record that is continued as it is.
 * @throws `input.dataset` naming the line and the field
 */
export function parseRawQuestion(record: SourceRecord): string {
  return ofRecord(record, readRawQuestion)
}

function readRawQuestion({ value, where }: SourceRecord): string {
  const record = fieldsOf(value, where)
  const field = questionField(record, [...TEXT_FIELDS, ...MESSAGES_FIELDS], where)
  if (MESSAGES_FIELDS.some((name) => name === field)) {
    throw refuse(
      where,
      `a field ${TEXT_FIELDS.slice(0, 2).join(' or ')}`,
      field,
      'Messages are no raw prompt.',
    )
  }
  for (const name of ['system', 'tools', 'history']) {
    const isEmpty = !record[name] || (Array.isArray(record[name]) && record[name].length === 0)
    if (!isEmpty) throw refuse(where, `no ${name} beside a raw prompt`)
  }
  return questionText(record, field)
}

const KNOWN = [...Object.keys(QUESTION_FIELDS), ...Object.keys(ADVICE)]

/** A name as it was probably meant: `system` for `System` and `"system "`. */
const plain = (name: string) => name.slice(0, 40).trim().toLowerCase().replaceAll('-', '_')

/** The field with the question, after all fields that mean something were checked. */
function questionField(record: Fields, names: readonly string[], where: string): string {
  const found = names.filter((name) => record[name] !== undefined && record[name] !== null)
  if (found.length === 0) {
    const all = Object.keys(record)
      .slice(0, 8)
      .map((name) => name.slice(0, 40))
    throw refuse(where, `a field ${names.join(', ')}`, all.join(', ') || 'none')
  }
  if (found.length > 1) throw refuse(where, 'one question', found.join(' and '))
  for (const [name, value] of Object.entries(record)) {
    const meant = KNOWN.find((known) => known !== name && known === plain(name))
    if (meant)
      throw refuse(where, `no field ${name.slice(0, 40)}`, undefined, `Write ${meant}, or call it otherwise.`)
    if (Object.hasOwn(ADVICE, name) && value !== null)
      throw refuse(where, `no field ${name}`, undefined, ADVICE[name])
    if (!Object.hasOwn(QUESTION_FIELDS, name)) continue
    const refusal = findRefusal(fields({ [name]: QUESTION_FIELDS[name as keyof typeof QUESTION_FIELDS] }), {
      [name]: value,
    })
    if (refusal) throw refuse(where, `${name} to be ${refusal.expected}`, refusal.found)
  }
  return found[0]
}

function questionText(record: Fields, field: string): string {
  const { input } = record
  const question = record[field] as string
  return field === 'instruction' && input ? `${question}\n${input}` : question
}

function checkedMessages(messages: readonly unknown[], where: string): readonly TrainingMessage[] {
  if (messages.length === 0) throw refuse(where, 'messages to be a list of messages', '[]')
  return parseMessages(messages, where)
}

function toMessages(message: TrainingMessage): Message[] {
  if (message.role !== 'tool') {
    const { role, content, metadata } = message
    return [role === 'assistant' && metadata ? { role, content, metadata } : { role, content }]
  }
  const { name, parameters, observation } = message
  return [
    { role: 'assistant', metadata: name, content: callText(parameters) },
    { role: 'observation', content: typeof observation === 'string' ? observation : pythonJson(observation) },
  ]
}

function withTools(messages: readonly Message[], tools: object | undefined): readonly Message[] {
  if (!tools) return messages
  const [first, ...rest] = messages
  if (first.role !== 'system') return [{ role: 'system', content: TOOLS_SYSTEM_PROMPT, tools }, ...messages]
  return [{ ...first, tools }, ...rest]
}
