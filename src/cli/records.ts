import { isDeepStrictEqual } from 'node:util'
import type { Message } from '../index.js'
import { CommandError } from './errors.js'

/** A record of the input. */
export interface InputRecord {
  /** Its line in the input, from 1. */
  readonly line: number
  readonly fields: Fields
  /** A conversation, or a single text. */
  readonly prompt: string | readonly Message[]
}

type Fields = Readonly<Record<string, unknown>>

/** What is added to a record. */
export interface Generated {
  readonly generated: string
  readonly finishReason: string
}

const PROMPT_FIELDS = ['messages', 'prompt', 'content'] as const
const ROLES: readonly unknown[] = ['system', 'user', 'assistant', 'observation']

/**
 * Reads JSON lines; empty ones do not count.
 * @param name what to call the input in an error
 * @param raw whether texts are wanted and no conversations
 * @throws CommandError naming the line and what was expected in it
 */
export function parseRecords(text: string, name: string, raw: boolean): InputRecord[] {
  const records: InputRecord[] = []
  for (const [index, source] of text
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (source.trim() === '') continue
    const where = `${name}, line ${index + 1}`
    const fields = parseObject(source, where)
    records.push({ line: index + 1, fields, prompt: promptOf(fields, where, raw) })
  }
  if (records.length === 0)
    throw new CommandError(`${name} has no records: expected a JSON object on each line.`)
  return records
}

function parseObject(source: string, where: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw new CommandError(
      `${where}: expected a JSON object, but it is no JSON (${(error as Error).message}).`,
    )
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new CommandError(`${where}: expected a JSON object, found ${describe(value)}.`)
}

function promptOf(fields: Fields, where: string, raw: boolean): InputRecord['prompt'] {
  const field = PROMPT_FIELDS.find((candidate) => fields[candidate] !== undefined)
  if (field === undefined) {
    const found = Object.keys(fields).join(', ') || 'none'
    throw new CommandError(`${where}: expected a field messages, prompt or content; its fields: ${found}.`)
  }
  const value = fields[field]
  if (field === 'messages') {
    if (raw)
      throw new CommandError(`${where}: expected a field prompt or content; messages are no raw prompt.`)
    return checkMessages(value, where)
  }
  if (typeof value === 'string' && value !== '') return value
  throw new CommandError(`${where}: expected ${field} to be a text, found ${describe(value)}.`)
}

function checkMessages(value: unknown, where: string): readonly Message[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw new CommandError(`${where}: expected messages to be a list of messages, found ${describe(value)}.`)
  }
  for (const [index, message] of value.entries()) {
    const { role, content, metadata, tools } = (message ?? {}) as Fields
    if (!ROLES.includes(role)) {
      throw new CommandError(
        `${where}, message ${index}: expected the role ${ROLES.join(', ')}; found ${describe(role)}.`,
      )
    }
    if (typeof content !== 'string') {
      throw new CommandError(
        `${where}, message ${index}: expected content to be a text, found ${describe(content)}.`,
      )
    }
    if (role === 'system' && index > 0) {
      throw new CommandError(`${where}, message ${index}: expected the system message at the beginning.`)
    }
    if (metadata !== undefined && typeof metadata !== 'string') {
      throw new CommandError(
        `${where}, message ${index}: expected metadata to be a text, found ${describe(metadata)}.`,
      )
    }
    if (tools !== undefined) {
      throw new CommandError(
        `${where}, message ${index}: expected no tools; write their description into content.`,
      )
    }
  }
  return value as readonly Message[]
}

function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const json = JSON.stringify(value)
  return json.length > 60 ? `${json.slice(0, 60)}…` : json
}

export function formatRecord({ fields }: InputRecord, generated: Generated): string {
  return JSON.stringify({ ...fields, ...generated })
}

/**
 * Checks that lines written by an earlier run belong to the first records of the input.
 * @param written complete lines
 * @param name what to call the output in an error
 * @throws CommandError naming the first line that does not
 */
export function checkWritten(
  written: readonly string[],
  records: readonly InputRecord[],
  name: string,
): void {
  const advice = 'It is the output of another input, or was changed; name another file.'
  if (written.length > records.length) {
    throw new CommandError(
      `${name} has ${written.length} records, but the input has only ${records.length}. ${advice}`,
    )
  }
  for (const [index, source] of written.entries()) {
    const where = `${name}, line ${index + 1}`
    const { generated, finishReason: _, ...rest } = parseObject(source, where)
    const { generated: _generated, finishReason: _finishReason, ...expected } = records[index].fields
    if (typeof generated !== 'string' || !isDeepStrictEqual(rest, expected)) {
      throw new CommandError(
        `${where} does not belong to line ${records[index].line} of the input. ${advice}`,
      )
    }
  }
}
