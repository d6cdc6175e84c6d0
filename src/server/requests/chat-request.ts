import { z } from 'zod'
import { flag, generationFields, MOST_LOGPROBS, other, unsupported, whole } from './fields.js'

const CONTENT = 'a text, or a list of parts {type: "text", text}'
const TEXT_PART = 'a part {type: "text", text}: this model reads text only'

const textPart = z.object(
  {
    type: z.literal('text', { error: '"text": this model reads text only' }),
    text: z.string({ error: 'a text' }),
  },
  { error: TEXT_PART },
)

/** The text of a message; parts are lines of it. */
const content = z.preprocess(
  (value) => (typeof value === 'string' ? [{ type: 'text', text: value }] : value),
  z.array(textPart, { error: CONTENT }).transform((parts) => parts.map(({ text }) => text).join('\n')),
)

const name = z
  .string({ error: 'a name' })
  .regex(/^\S(?:[^\n\r]{0,62}\S)?$/, { error: 'a name of one line, up to 64 characters' })

const toolCall = z.object({
  id: z.string({ error: 'the id of the call' }),
  type: z.literal('function', { error: '"function"' }).optional(),
  function: z.object({ name, arguments: z.string({ error: 'the arguments as JSON text' }) }),
})

const message = z.discriminatedUnion(
  'role',
  [
    z.object({ role: z.enum(['system', 'developer']), content }),
    z.object({ role: z.literal('user'), content }),
    z.object({
      role: z.literal('assistant'),
      content: content.nullish(),
      tool_calls: z.array(toolCall, { error: 'a list of calls' }).nullish(),
    }),
    z.object({ role: z.literal('tool'), content, tool_call_id: z.string({ error: 'the id of a call' }) }),
  ],
  { error: 'an object with the role system, developer, user, assistant or tool' },
)

const tool = z.object(
  {
    type: z.literal('function', { error: '"function"' }),
    function: z.object(
      {
        name,
        description: z.string({ error: 'a text' }).nullish(),
        parameters: z.record(z.string(), z.unknown(), { error: 'a JSON schema' }).nullish(),
      },
      { error: 'an object with name, description and parameters' },
    ),
  },
  { error: 'an object {type: "function", function}' },
)

const MESSAGES = 'a list of at least one message'
const TOOLS = 'a list of up to 128 tools {type: "function", function}'
const FORMATS = 'text, json_object or json_schema'
const TOOL_CHOICE = '"auto" or "none"'

/** The body of `POST /v1/chat/completions`. */
export const chatRequest = z.object({
  messages: z
    .array(message, { error: MESSAGES })
    .min(1, { error: MESSAGES })
    .meta({ expected: MESSAGES, description: 'The conversation; what is to be answered comes last.' }),
  ...generationFields,
  max_completion_tokens: whole(
    1,
    Number.MAX_SAFE_INTEGER,
    'The most tokens of an answer. Default: the room there is.',
  ),
  max_tokens: whole(1, Number.MAX_SAFE_INTEGER, 'The older name of `max_completion_tokens`.'),
  tools: other(z.array(tool, { error: TOOLS }).max(128, { error: TOOLS }), TOOLS, 'What the model may call.'),
  tool_choice: other(
    z.enum(['auto', 'none'], { error: TOOL_CHOICE }),
    TOOL_CHOICE,
    'Whether it may call one. Default `auto`.',
  ),
  parallel_tool_calls: flag('Accepted; this model calls one tool at a time.'),
  response_format: other(
    z.discriminatedUnion(
      'type',
      [
        z.object({ type: z.literal(['text', 'json_object']) }),
        z.object({
          type: z.literal('json_schema'),
          json_schema: z.object(
            { schema: z.record(z.string(), z.unknown(), { error: 'a JSON schema' }).optional() },
            { error: 'an object with name and schema' },
          ),
        }),
      ],
      { error: FORMATS },
    ),
    'an object of the type text, json_object or json_schema',
    'Whether the answer is JSON, of any kind or as a schema says. It is no call of a tool then.',
  ),
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
