import { text as aText, listOf, z } from '../../schema/index.js'
import { constraintFields } from './constraint-fields.js'
import {
  flag,
  generationFields,
  MOST_LOGPROBS,
  optional,
  required,
  unsupported,
  whole,
  written,
} from './fields.js'

const CONTENT = 'a text, or a list of parts {type: "text", text}'
const TEXT_PART = 'a part {type: "text", text}: this model reads text only'

const textPart = z.object(
  { type: z.literal('text', { error: '"text": this model reads text only' }), text: aText },
  { error: TEXT_PART },
)

/** The text of a message; parts are lines of it. */
const content = written(
  z.pipe(
    z.array(textPart, { error: CONTENT }),
    z.transform((parts) => parts.map(({ text }) => text).join('\n')),
  ),
  (value) => (typeof value === 'string' ? [{ type: 'text', text: value }] : value),
)

const name = z
  .string({ error: 'a name' })
  .check(z.regex(/^\S(?:[^\n\r]{0,62}\S)?$/, { error: 'a name of one line, up to 64 characters' }))

const isFunction = z.literal('function', { error: '"function"' })

const toolCall = z.object({
  id: z.string({ error: 'the id of the call' }),
  type: z.optional(isFunction),
  function: z.object({ name, arguments: z.string({ error: 'the arguments as JSON text' }) }),
})

const message = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.enum(['system', 'developer']), content }),
    z.object({ role: z.literal('user'), content }),
    z.object({
      role: z.literal('assistant'),
      content: z.nullish(content),
      tool_calls: z.nullish(listOf(toolCall, 'a list of calls')),
    }),
    z.object({ role: z.literal('tool'), content, tool_call_id: z.string({ error: 'the id of a call' }) }),
  ],
  { error: 'an object with the role system, developer, user, assistant or tool' },
)

const tool = z.object(
  {
    type: isFunction,
    function: z.object(
      {
        name,
        description: z.nullish(aText),
        parameters: z.nullish(z.record(z.string(), z.unknown(), { error: 'a JSON schema' })),
      },
      { error: 'an object with name, description and parameters' },
    ),
  },
  { error: 'an object {type: "function", function}' },
)

const MESSAGES = 'a list of at least one message'
const TOOLS = 'a list of up to 128 tools {type: "function", function}'
const TOOL_CHOICE = '"auto", "none", "required", or a tool {type: "function", function: {name}}'

/** The body of `POST /v1/chat/completions`. */
export const chatRequest = z.object({
  messages: required(
    listOf(message, MESSAGES).check(z.minLength(1, { error: MESSAGES })),
    MESSAGES,
    'The conversation; what is to be answered comes last.',
  ),
  ...generationFields,
  max_completion_tokens: whole(
    1,
    Number.MAX_SAFE_INTEGER,
    'The most tokens of an answer. Default: the room there is.',
  ),
  max_tokens: whole(1, Number.MAX_SAFE_INTEGER, 'The older name of `max_completion_tokens`.'),
  tools: optional(
    listOf(tool, TOOLS).check(z.maxLength(128, { error: TOOLS })),
    TOOLS,
    'What the model may call.',
  ),
  tool_choice: optional(
    z.union(
      [z.enum(['auto', 'none', 'required']), z.object({ type: isFunction, function: z.object({ name }) })],
      { error: TOOL_CHOICE },
    ),
    TOOL_CHOICE,
    'Whether it may call one, must call one, or must call this one. Default `auto`.',
  ),
  parallel_tool_calls: flag('Accepted; this model calls one tool at a time.'),
  ...constraintFields,
  logprobs: flag('Whether to tell how likely each token is.'),
  top_logprobs: whole(
    0,
    MOST_LOGPROBS,
    'How many of the likeliest tokens to tell at each place; needs `logprobs`.',
  ),
  functions: unsupported('The old form of `tools`.', [[]]),
  function_call: unsupported('The old form of `tool_choice`.', ['none']),
  modalities: unsupported('Output other than text.', [['text']]),
  audio: unsupported('Spoken output.'),
})

export type ChatRequest = z.infer<typeof chatRequest>
export type ChatRequestMessage = ChatRequest['messages'][number]
export type ChatRequestTool = NonNullable<ChatRequest['tools']>[number]
