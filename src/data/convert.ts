import { describe, hasCode, InputError } from '../errors/index.js'
import { checkArgument, fields, text } from '../schema/index.js'
import { parseJson, type ToolParameters } from '../tokenizer/index.js'
import { fieldsOf, isFields, ofRecord } from './check.js'
import type { Conversation, PromptResponse, SourceRecord, TrainingMessage } from './records.js'

type Fields = Readonly<Record<string, unknown>>

/**
 * A record of AdvertiseGen, `{content, summary}`, as `format_advertise_gen.py` of the official scripts converts it.
 * @throws `input.dataset` for any other record
 */
export function fromAdvertiseGen(record: SourceRecord): PromptResponse {
  return ofRecord(record, ({ value, where }) => {
    const { content, summary } = fieldsOf(value, where)
    if (typeof content === 'string' && typeof summary === 'string')
      return { prompt: content, response: summary }
    throw new InputError(
      'input.dataset',
      `${where}: expected the texts content and summary, found ${describe(value)}.`,
    )
  })
}

const PAIR = fields({ prompt: text, response: text })

/** A pair as a conversation of two messages, as the official notebook converts AdvertiseGen. */
export function toConversation(pair: PromptResponse): Conversation {
  checkArgument('pair', PAIR, pair)
  const { prompt, response } = pair
  return {
    conversations: [
      { role: 'user', content: prompt },
      { role: 'assistant', content: response },
    ],
  }
}

/** The conversations of an API of ToolAlpaca, and how many of its instances are malformed and were left out. */
export interface ConvertedApi {
  readonly conversations: readonly Conversation[]
  readonly dropped: number
}

/**
 * A record of ToolAlpaca, an API with its documentation and instances of its use, as `format_tool_alpaca.py` of the
 * official scripts converts it.
 * @throws `input.dataset` where it is no such record
 */
export function fromToolAlpaca(record: SourceRecord): ConvertedApi {
  return ofRecord(record, convertApi)
}

function convertApi(record: SourceRecord): ConvertedApi {
  const { NLDocumentation: documentation, Instances: instances } = fieldsOf(record.value, record.where)
  if (typeof documentation !== 'string' || !Array.isArray(instances)) {
    throw new InputError(
      'input.dataset',
      `${record.where}: expected an API of ToolAlpaca with the text NLDocumentation and the list Instances, ` +
        `found ${describe(record.value)}.`,
    )
  }
  const converted = instances.map((instance) => convertInstance(instance))
  const conversations = converted
    .filter((messages) => messages !== undefined)
    .map((messages) => ({ tools: [documentation], conversations: messages }))
  return { conversations, dropped: instances.length - conversations.length }
}

/** Undefined where something is missing or malformed, as happens in the published data. */
function convertInstance(instance: unknown): TrainingMessage[] | undefined {
  if (typeof instance !== 'object' || instance === null) return undefined
  const { input, output, intermediate_steps: steps, 'Final Thought': thought } = instance as Fields
  if (typeof input !== 'string' || typeof output !== 'string' || typeof thought !== 'string') return undefined
  if (!Array.isArray(steps)) return undefined
  const messages: TrainingMessage[] = [{ role: 'user', content: input }]
  for (const step of steps) {
    const converted = convertStep(step)
    if (!converted) return undefined
    messages.push(...converted)
  }
  return [...messages, { role: 'assistant', content: `${thought}\n${output}` }]
}

/** A step is `[[tool, parameters as JSON text, what the model wrote], what the tool answered]`. */
function convertStep(step: unknown): TrainingMessage[] | undefined {
  if (!Array.isArray(step) || !Array.isArray(step[0]) || step.length < 2) return undefined
  const [[name, json, written], observation] = step
  if (typeof name !== 'string' || typeof json !== 'string' || typeof written !== 'string') return undefined
  // A name of several lines could not be told from what follows it.
  if (name.includes('\n')) return undefined
  const parameters = parseObject(json)
  if (!parameters) return undefined
  return [
    { role: 'assistant', content: written.split('Action:')[0].trim() },
    { role: 'tool', name, parameters, observation },
  ]
}

function parseObject(json: string): ToolParameters | undefined {
  try {
    const value = parseJson(json)
    return isFields(value) ? (value as ToolParameters) : undefined
  } catch (error) {
    if (!hasCode(error, 'input.json')) throw error
    return undefined
  }
}

/**
 * Converts records of AdvertiseGen and ToolAlpaca on their way to a dataset; all others pass as they are.
 * @param format AdvertiseGen becomes pairs or conversations by it
 * @param onDropped told how many malformed instances of an API were left out
 */
export async function* convertPublished(
  records: AsyncIterable<SourceRecord>,
  format: 'input-output' | 'multi-turn',
  onDropped: (count: number) => void,
): AsyncGenerator<SourceRecord> {
  for await (const record of records) {
    const fields = fieldsOf(record.value, record.where)
    const { where } = record
    if ('content' in fields && 'summary' in fields) {
      const pair = fromAdvertiseGen(record)
      yield { value: format === 'multi-turn' ? toConversation(pair) : pair, where }
    } else if ('NLDocumentation' in fields) {
      const { conversations, dropped } = fromToolAlpaca(record)
      onDropped(dropped)
      for (const value of conversations) yield { value, where }
    } else yield record
  }
}
