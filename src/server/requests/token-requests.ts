import { z } from 'zod'
import { chatRequest } from './chat-request.js'
import { flag, other, text } from './fields.js'

/** The body of `POST /tokenize`; one of `prompt`, `content` and `messages`. */
export const tokenizeRequest = z.object({
  prompt: text('A text. The name of a special token alone, such as `</s>`, is that token.'),
  content: text("The same, as llama-server's clients call it."),
  messages: other(
    chatRequest.shape.messages,
    'a list of messages',
    'A conversation: the prompt that asks for its next message.',
  ),
  add_special_tokens: flag('Whether `[gMASK] sop` comes first. Default true with `prompt`.'),
  add_special: flag('The same, as llama-server calls it. Default false with `content`.'),
})

const TOKENS = 'a list of token ids'

/** The body of `POST /detokenize`. */
export const detokenizeRequest = z.object({
  tokens: z
    .array(z.int({ error: 'a token id' }).min(0, { error: 'a token id' }), { error: TOKENS })
    .meta({ expected: TOKENS, description: 'Ids of tokens.' }),
})
