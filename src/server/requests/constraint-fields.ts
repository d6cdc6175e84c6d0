/** Fields that say what an answer must look like, as OpenAI, llama-server and vLLM call them. */

import type { ConstraintOption } from '../../runtime/generate/index.js'
import { text as aText, listOf, z } from '../../schema/index.js'
import { badRequest } from '../api-error.js'
import { optional, unsupported } from './fields.js'

const SCHEMA = 'a JSON schema'
const CHOICES = 'a list of texts'
const GRAMMAR = 'a grammar in EBNF'
const STRUCTURED = 'an object with one of json, json_object, choice and grammar'
const FORMATS = 'text, json_object or json_schema'

/** A schema is checked when its grammar is written. */
const schema = z.record(z.string(), z.unknown(), { error: SCHEMA })
const choices = listOf(aText, CHOICES)

const structured = {
  json: optional(schema, SCHEMA, 'A JSON schema.'),
  json_object: optional(z.literal(true, { error: 'true' }), 'true', 'Any JSON object.'),
  choice: optional(choices, CHOICES, 'The answers that there may be.'),
  grammar: optional(aText, GRAMMAR, 'A grammar.'),
  regex: unsupported('A regular expression: write it as a grammar.'),
  structural_tag: unsupported('JSON within text.'),
}

/** Fields of our own, but for `response_format`; at most one of all may be given. */
export const constraintFields = {
  response_format: optional(
    z.discriminatedUnion(
      'type',
      [
        z.object({ type: z.literal('text') }),
        z.object({ type: z.literal('json_object'), schema: z.optional(schema) }),
        z.object({
          type: z.literal('json_schema'),
          json_schema: z.object({ schema: z.optional(schema) }, { error: 'an object with name and schema' }),
        }),
      ],
      { error: FORMATS },
    ),
    `an object of the type ${FORMATS}`,
    'Whether the answer is JSON, of any kind or as a schema says. It is no call of a tool then.',
  ),
  grammar: optional(aText, GRAMMAR, "As llama-server's clients ask: the answer is a text of this grammar."),
  json_schema: optional(schema, SCHEMA, "As llama-server's clients ask: the answer is JSON of this schema."),
  structured_outputs: optional(
    z.object(structured, { error: STRUCTURED }),
    STRUCTURED,
    "As vLLM's clients ask: what the answer must look like.",
  ),
  guided_json: optional(schema, SCHEMA, "`structured_outputs.json`, as vLLM's older clients ask."),
  guided_choice: optional(choices, CHOICES, '`structured_outputs.choice`, likewise.'),
  guided_grammar: optional(aText, GRAMMAR, '`structured_outputs.grammar`, likewise.'),
  guided_regex: unsupported('A regular expression: write it as a grammar.'),
}

/** Values of these fields. */
export type ConstraintFields = z.infer<z.ZodMiniObject<typeof constraintFields>>

/** What an answer must look like, and which field says so. */
export interface AskedConstraint {
  readonly constraint: ConstraintOption
  /** The path of the field that the constraint's value stands in. */
  readonly field: string
}

/**
 * What the answer to a request must look like; undefined where it is free.
 * @throws ApiError 400 where several fields say it
 */
export function constraintOf(body: ConstraintFields): AskedConstraint | undefined {
  const { response_format: format, structured_outputs: outputs } = body
  const json = (value: object | undefined, field: string) =>
    value && { constraint: { jsonSchema: value }, field }
  const grammar = (value: string | undefined, field: string) =>
    value === undefined ? undefined : { constraint: { grammar: value }, field }
  const choice = (value: readonly string[] | undefined, field: string) =>
    value && { constraint: { choices: value }, field }
  const anyObject = (asked: boolean | undefined, field: string) =>
    asked ? { constraint: { json: true } as const, field } : undefined
  const isObject = format?.type === 'json_object'
  const all: readonly (AskedConstraint | undefined)[] = [
    isObject ? json(format.schema, 'response_format.schema') : undefined,
    anyObject(isObject && format.schema === undefined, 'response_format'),
    format?.type === 'json_schema'
      ? {
          constraint: { jsonSchema: format.json_schema.schema ?? true },
          field: 'response_format.json_schema.schema',
        }
      : undefined,
    grammar(body.grammar, 'grammar'),
    json(body.json_schema, 'json_schema'),
    json(outputs?.json, 'structured_outputs.json'),
    anyObject(outputs?.json_object, 'structured_outputs.json_object'),
    choice(outputs?.choice, 'structured_outputs.choice'),
    grammar(outputs?.grammar, 'structured_outputs.grammar'),
    json(body.guided_json, 'guided_json'),
    choice(body.guided_choice, 'guided_choice'),
    grammar(body.guided_grammar, 'guided_grammar'),
  ]
  const [first, second] = all.filter((one) => one !== undefined)
  if (second) {
    const message = `${first.field} and ${second.field} both say what the answer must look like: give one of them.`
    throw badRequest('invalid_value', message, second.field)
  }
  return first
}
