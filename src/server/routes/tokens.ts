import type { FastifyInstance } from 'fastify'
import { buildPrompt, SPECIAL_TOKENS, type Tokenizer } from '../../tokenizer/index.js'
import { badRequest } from '../api-error.js'
import { readConversation } from '../chat/conversation.js'
import type { ServerContext } from '../context.js'
import { checkRequest } from '../requests/check.js'
import { detokenizeRequest, tokenizeRequest } from '../requests/token-requests.js'

/** How a conversation becomes a prompt, as Jinja: what lm-evaluation-harness renders it with. */
const CHAT_TEMPLATE =
  '[gMASK]sop{% for message in messages %}<|{{ message.role }}|>\n{{ message.content }}{% endfor %}' +
  '{% if add_generation_prompt %}<|assistant|>{% endif %}'

/** `POST /tokenize`, `POST /detokenize` and `GET /tokenizer_info`, as vLLM, llama-server and lm-evaluation-harness have them. */
export function tokenRoutes(app: FastifyInstance, { model }: ServerContext): void {
  const { tokenizer } = model

  app.post('/tokenize', async (request) => {
    const body = checkRequest(tokenizeRequest, request.body)
    const { prompt, content, messages } = body
    if ([prompt, content, messages].filter((given) => given !== undefined).length !== 1) {
      throw badRequest('missing_required_parameter', 'Give one of prompt, content and messages.', 'prompt')
    }
    const withSpecial = body.add_special_tokens ?? body.add_special ?? prompt !== undefined
    const tokens = messages
      ? buildPrompt(tokenizer, readConversation({ messages }).messages)
      : encode(tokenizer, prompt ?? content ?? '', withSpecial)
    return { count: tokens.length, max_model_len: model.contextLength, tokens }
  })

  app.post('/detokenize', async (request) => {
    const text = tokenizer.decode(checkRequest(detokenizeRequest, request.body).tokens)
    return { prompt: text, content: text }
  })

  app.get('/tokenizer_info', async () => {
    const { eos, bos, pad, unk } = tokenizer.special
    const name = (id: number) => tokenizer.vocabulary.piece(id)
    return {
      tokenizer_class: 'ChatGLMTokenizer',
      eos_token: name(eos),
      bos_token: name(bos),
      pad_token: name(pad),
      unk_token: name(unk),
      additional_special_tokens: SPECIAL_TOKENS,
      vocab_size: tokenizer.vocabSize,
      model_max_length: model.contextLength,
      chat_template: CHAT_TEMPLATE,
    }
  })
}

/** The ids of a text, or of the special token that it names: in a longer text such a name is text. */
function encode(tokenizer: Tokenizer, text: string, withSpecial: boolean): number[] {
  const { vocabulary, special } = tokenizer
  const named = Object.values(special).find((id: number) => vocabulary.piece(id) === text)
  const ids = named === undefined ? tokenizer.encode(text) : [named]
  return withSpecial ? [special.gMask, special.sop, ...ids] : ids
}
