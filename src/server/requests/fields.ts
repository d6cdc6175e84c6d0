/** Fields of requests: each says what it accepts, which is what an error and the tables of the documentation show. */
import {
  flag as aFlag,
  number as aNumber,
  text as aText,
  type Schema,
  wholeNumber,
  z,
} from '../../schema/index.js'

/** What the documentation says of a field beside its name. */
export interface FieldMeta {
  /** What is accepted, as an error says it. */
  readonly expected: string
  readonly description: string
}

/** The documentation of every field, by its schema. */
export const FIELD_DOCS = z.registry<FieldMeta>()

/** A field that must be there. */
export function required<Field extends Schema>(schema: Field, expected: string, description: string): Field {
  FIELD_DOCS.add(schema, { expected, description })
  return schema
}

/** A field that may be left out, or null, which means the same to OpenAI's clients. */
export function optional<Field extends Schema>(schema: Field, expected: string, description: string) {
  const field = z.pipe(
    z.nullish(schema),
    z.transform((value: z.output<Field> | null | undefined) => value ?? undefined),
  )
  FIELD_DOCS.add(field, { expected, description })
  return field
}

export function number(low: number, high: number, description: string) {
  const expected = `a number from ${low} to ${high}`
  return optional(
    aNumber((value) => value >= low && value <= high, expected),
    expected,
    description,
  )
}

export function whole(low: number, high: number, description: string) {
  const bounds = high === Number.MAX_SAFE_INTEGER ? `from ${low} up` : `from ${low} to ${high}`
  const expected = low === Number.MIN_SAFE_INTEGER ? 'a whole number' : `a whole number ${bounds}`
  return optional(wholeNumber(low, high, expected), expected, description)
}

export function flag(description: string) {
  return optional(aFlag, 'true or false', description)
}

export function text(description: string) {
  return optional(aText, 'a text', description)
}

/** What a field that is not supported may be. */
export const UNSUPPORTED = 'nothing, as this server does not support it'

/**
 * A field of OpenAI that changes the answer in a way that this server cannot: it is refused by its name, unless its value
 * changes nothing.
 * @param harmless values that change nothing
 */
export function unsupported(description: string, harmless: readonly unknown[] = []) {
  const isHarmless = (value: unknown) =>
    value === undefined ||
    value === null ||
    harmless.some((one) => JSON.stringify(one) === JSON.stringify(value))
  const field = z.optional(z.custom<unknown>(isHarmless, { error: UNSUPPORTED }))
  FIELD_DOCS.add(field, { expected: 'not supported', description })
  return field
}

const STOPS = 'a text, or a list of up to 16 texts'
const PREFIX = 'a name, or an object of id and strength (0 to 1)'
const BIASES = 'an object of token ids and numbers'

/** The weight of a prefix. */
export const STRENGTH = 'a number from 0 (no prefix) to 1 (as trained)'
export const strength = aNumber((value) => value >= 0 && value <= 1, STRENGTH)

/** A value of one form that may be written in a short one. */
export function written<Field extends Schema>(field: Field, inFull: (value: unknown) => unknown) {
  return z.pipe(z.transform(inFull), field)
}

/** Fields that requests for answers share: how the next token is chosen, when the answer ends, which prefix. */
export const generationFields = {
  model: text('The name of the model, or of a prefix, which is a model of its own. Default: the model.'),
  temperature: number(0, 100, 'Divides the logits; 0 takes the likeliest token always. Default 0.8.'),
  top_p: number(0, 1, 'Only the likeliest tokens of this probability together. Default 0.8.'),
  top_k: whole(-1, 2 ** 31, 'Only the k likeliest tokens; 0 or -1 for all. Default 50.'),
  min_p: number(0, 1, 'Only tokens this likely relative to the likeliest. Default 0.'),
  presence_penalty: number(-1000, 1000, 'Taken from logits of tokens in the answer. Default 0.'),
  frequency_penalty: number(-1000, 1000, 'Taken for every time a token is in the answer. Default 0.'),
  repetition_penalty: number(0.001, 1000, 'Makes tokens of prompt and answer less likely. Default 1.'),
  logit_bias: optional(
    z.record(z.string().check(z.regex(/^\d+$/)), z.number(), { error: BIASES }),
    BIASES,
    'Added to the logits of single tokens.',
  ),
  seed: whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 'The same seed gives the same answer.'),
  stop: optional(
    z.union([z.string(), z.array(z.string()).check(z.maxLength(16))], { error: STOPS }),
    STOPS,
    'Texts that end the answer; nothing of them is given out.',
  ),
  ignore_eos: flag(
    'Whether the answer goes on behind tokens that end one, up to `max_tokens`: for benchmarks.',
  ),
  n: whole(1, 128, 'Answers to each prompt. With a seed, answer i has the seed plus i. Default 1.'),
  stream: flag('Whether the answer comes in pieces, as server-sent events.'),
  stream_options: optional(
    z.object({ include_usage: flag('Whether the last event counts tokens.') }, { error: 'an object' }),
    'an object',
    '`include_usage`: the last event counts tokens.',
  ),
  prefix: optional(
    written(
      z.strictObject(
        { id: z.string({ error: 'the name of a prefix' }), strength: z.optional(strength) },
        { error: PREFIX },
      ),
      (value) => (typeof value === 'string' ? { id: value } : value),
    ),
    PREFIX,
    'Of our own: the prefix to answer with, and how much it weighs.',
  ),
} as const

/** The most of the likeliest tokens that are told of each. */
export const MOST_LOGPROBS = 20

/** Values of the shared fields. */
export type GenerationFields = z.infer<z.ZodMiniObject<typeof generationFields>>
