import { listOf, wholeNumber, z } from '../../schema/index.js'
import { chatRequest } from './chat-request.js'
import { flag, optional, required, text } from './fields.js'

const TOKENS = 'a list of token ids'

/** The body of `POST /tokenize`; one of `prompt`, `content` and `messages`. */
export const tokenizeRequest = z.object({
  prompt: text('A text. The name of a special token alone, such as `</s>`, is that token.'),
  content: text("The same, as llama-server's clients call it."),
  messages: optional(
    chatRequest.shape.messages,
    'a list of messages',
    'A conversation: the prompt that asks for its next message.',
  ),
  add_special_tokens: flag('Whether `[gMASK] sop` comes first. Default true with `prompt`.'),
  add_special: flag('The same, as llama-server calls it. Default false with `content`.'),
})

/** The body of `POST /detokenize`. */
export const detokenizeRequest = z.object({
  tokens: required(listOf(wholeNumber(0, undefined, 'a token id'), TOKENS), TOKENS, 'Ids of tokens.'),
})
