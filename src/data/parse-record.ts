import { hasCode } from '../errors/index.js'
import { fields, optional, type Schema, text, z } from '../schema/index.js'
import { parseJson } from '../tokenizer/index.js'
import { check, fieldsOf, ofRecord, refuse } from './check.js'
import { parseMessages } from './parse-messages.js'
import type { SourceRecord, TrainingMessage, TrainingRecord } from './records.js'

type Fields = Readonly<Record<string, unknown>>

/** What may stand beside a question in every format. */
const BESIDE = {
  /** Names the record; nothing is learnt from it. */
  id: z.optional(z.unknown()),
  /** The system prompt: the first message. */
  system: optional(text),
  /** Descriptions of tools: a list or an object, or its JSON. */
  tools: z.optional(z.unknown()),
}

const HISTORY = optional(z.array(z.unknown(), { error: 'a list of earlier turns' }))
const MESSAGES = z
  .array(z.unknown(), { error: 'a list of messages' })
  .check(z.minLength(1, { error: 'a list of messages' }))

/** A format of records: by what field it is known, its fields, and where question and answer stand. */
interface Format {
  readonly name: string
  readonly mark: string
  readonly schema: Schema<Fields>
  readonly question?: (record: Fields) => { readonly prompt: string; readonly response?: string }
}

/** The first whose mark a record has is its format. */
export const FORMATS: readonly Format[] = [
  { name: 'conversations', mark: 'conversations', schema: fields({ conversations: MESSAGES, ...BESIDE }) },
  { name: 'messages', mark: 'messages', schema: fields({ messages: MESSAGES, ...BESIDE }) },
  {
    name: 'Alpaca',
    mark: 'instruction',
    schema: fields({ instruction: text, input: optional(text), output: text, history: HISTORY, ...BESIDE }),
    question: ({ instruction, input, output }) => ({
      prompt: input ? `${instruction}\n${input}` : `${instruction}`,
      response: output as string,
    }),
  },
  {
    name: 'query and response',
    mark: 'query',
    schema: fields({ query: text, response: text, history: HISTORY, ...BESIDE }),
    question: ({ query, response }) => ({ prompt: query as string, response: response as string }),
  },
  {
    name: 'prompt and response',
    mark: 'prompt',
    schema: fields({ prompt: text, response: text, history: HISTORY, ...BESIDE }),
    question: ({ prompt, response }) => ({ prompt: prompt as string, response: response as string }),
  },
]

/** What to write instead of names of other programs. */
const ADVICE: Readonly<Record<string, string>> = {
  completion: 'Rename completion to response.',
  answer: 'Rename answer to response.',
  target: 'Rename target to response.',
  question: 'Rename question to prompt.',
  source: 'Rename source to prompt, or take it out.',
  images: 'Only text can be learnt from: take images out.',
  chosen: 'Preferences are not trained on: write the better answer as response.',
  rejected: 'Preferences are not trained on: take rejected out.',
  rejected_response: 'Preferences are not trained on: take rejected_response out.',
  loss: 'Write loss into the messages.',
  weight: 'Write weight into the messages.',
  label: 'Rename label to response, as a text.',
}

/**
 * Reads a record of a data file, in any of {@link FORMATS}. What stands beside the messages becomes a part of the
 * conversation: `system` its first message, `history` its earlier turns.
 * @throws `input.dataset` naming the line, the field, and what was expected there
 */
export function parseRecord(record: SourceRecord): TrainingRecord {
  return ofRecord(record, readRecord)
}

function readRecord({ value, where }: SourceRecord): TrainingRecord {
  const record = definedFields(fieldsOf(value, where))
  const format = FORMATS.find(({ mark }) => Object.hasOwn(record, mark))
  if (!format) throw unknownFormat(record, where)
  check(format.schema, record, where, ADVICE)
  const { system } = record
  const tools = parseTools(record.tools, where)
  if (!format.question) {
    const messages = parseMessages(record[format.mark] as readonly unknown[], where)
    return conversation([...systemMessages(system, messages, where), ...messages], tools)
  }
  const { prompt, response = '' } = format.question(record)
  const history = parseHistory(record.history, where)
  const earlier = [...systemMessages(system, history, where), ...history]
  if (earlier.length === 0 && !tools) return { prompt, response }
  return conversation(
    [...earlier, { role: 'user', content: prompt }, { role: 'assistant', content: response }],
    tools,
  )
}

/** A field without a value is as good as none: CSV has a cell for every column. */
function definedFields(record: Fields): Fields {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}

function conversation(conversations: readonly TrainingMessage[], tools: object | undefined): TrainingRecord {
  return tools ? { conversations, tools } : { conversations }
}

function systemMessages(
  system: unknown,
  [first]: readonly TrainingMessage[],
  where: string,
): readonly TrainingMessage[] {
  if (typeof system !== 'string' || system === '') return []
  if (first?.role === 'system') throw refuse(where, 'either system or a system message', 'both')
  return [{ role: 'system', content: system }]
}

/** A question and its answer, as the scripts of ChatGLM2-6B and ms-swift write earlier turns. */
const TURN = z.tuple([text, text], { error: 'a pair of question and answer' })

/**
 * Earlier turns: pairs of question and answer, or messages.
 * @throws `input.dataset` naming the turn
 */
export function parseHistory(history: unknown, where: string): TrainingMessage[] {
  if (history === undefined || history === null) return []
  if (!Array.isArray(history)) throw refuse(where, 'history to be a list of earlier turns')
  if (!Array.isArray(history[0])) return parseMessages(history, `${where}, history`)
  return history.flatMap((turn, index): TrainingMessage[] => {
    const [content, answer] = check(TURN, turn, `${where}, history ${index}`)
    return [
      { role: 'user', content },
      { role: 'assistant', content: answer },
    ]
  })
}

/**
 * Descriptions of tools: a list or an object, or its JSON. OpenAI wraps each in `{type, function}`; ChatGLM3 learnt them
 * without. None where there is nothing in it.
 * @throws `input.dataset` for anything else
 */
export function parseTools(given: unknown, where: string): object | undefined {
  if (given === undefined || given === null || given === '') return undefined
  const tools = typeof given === 'string' ? parseToolText(given, where) : given
  if (typeof tools !== 'object' || tools === null || tools instanceof Number) {
    throw refuse(where, 'tools to be a list or an object, or its JSON')
  }
  if (!Array.isArray(tools)) return tools
  return tools.length === 0 ? undefined : tools.map(withoutWrapper)
}

function parseToolText(given: string, where: string): unknown {
  try {
    return parseJson(given)
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
    throw refuse(where, `tools to be a list or an object, or its JSON (${error.message})`)
  }
}

function withoutWrapper(tool: unknown): unknown {
  if (typeof tool !== 'object' || tool === null) return tool
  const { type, function: inner, ...others } = tool as Fields
  const isWrapped = type === 'function' && typeof inner === 'object' && Object.keys(others).length === 0
  return isWrapped ? inner : tool
}

function unknownFormat(record: Fields, where: string) {
  const names = Object.keys(record)
  const advice =
    'content' in record && 'summary' in record
      ? 'This is the AdvertiseGen format: convert it with `chatglm data advertise-gen`.'
      : 'NLDocumentation' in record
        ? 'This is the ToolAlpaca format: convert it with `chatglm data tool-alpaca`.'
        : 'response' in record
          ? 'Its question is missing: expected prompt to be a text, found nothing.'
          : names.flatMap((name) => (Object.hasOwn(ADVICE, name) ? [ADVICE[name]] : [])).join(' ')
  const found = names.slice(0, 8).map((name) => name.slice(0, 40))
  return refuse(where, 'the fields prompt and response, or conversations', found.join(', ') || 'none', advice)
}
