import type { FastifyInstance } from 'fastify'
import type { GenerateOptions } from '../../runtime/generate/index.js'
import { answerAll, answerWithEvents } from '../answering.js'
import { ChatChoice, type DeltaMessage, type FinishReason } from '../chat/chat-choice.js'
import { readConversation, type ServedConversation } from '../chat/conversation.js'
import type { ServerContext } from '../context.js'
import { generationOptions } from '../generation-options.js'
import { checkChoices, tokenLimit } from '../limits.js'
import { checkTextLength } from '../prompt-length.js'
import { type ChatRequest, chatRequest } from '../requests/chat-request.js'
import { checkRequest } from '../requests/check.js'
import type { ServedModel } from '../served-model.js'
import type { Work } from '../work.js'

/** One answer that is complete. */
interface ChatAnswer {
  readonly choice: ChatChoice
  readonly reason: FinishReason
}

/** `POST /v1/chat/completions` */
export function chatRoutes(app: FastifyInstance, context: ServerContext): void {
  app.post('/v1/chat/completions', async (request, reply) => {
    const { work } = request
    const body = checkRequest(chatRequest, request.body)
    const { n = 1, stream = false } = body
    checkChoices(n, context)
    const target = context.catalog.resolve(body)
    Object.assign(work, { target, stream })
    const conversation = readConversation(body)
    checkTextLength(
      conversation.messages.map(({ content }) => content),
      context.model,
    )
    const maxTokens = maxTokensOf(body, context)
    const answer = (index: number, send: (delta: DeltaMessage) => Promise<void>) => {
      const options = generationOptions(body, target, maxTokens, index, work.signal)
      return answerChat(context.model, work, conversation, options, index, send)
    }
    const created = Math.floor(work.time.getTime() / 1000)
    const envelope = { id: `chatcmpl-${work.id}`, created, model: target.model }
    if (!stream) {
      const answers = await answerAll(work, n, (index) => answer(index, async () => {}))
      const choices = answers.map(({ choice, reason }, index) => {
        const message = { ...choice.message, refusal: null }
        return { index, message, logprobs: null, finish_reason: reason }
      })
      return { ...envelope, object: 'chat.completion', choices, usage: work.usage }
    }
    return answerWithEvents(reply, context, async (events) => {
      const withUsage = body.stream_options?.include_usage === true
      const chunk = { ...envelope, object: 'chat.completion.chunk' }
      const noUsage = withUsage ? { usage: null } : {}
      const send = (index: number, delta: DeltaMessage, finish_reason: FinishReason | null) =>
        events.send({ ...chunk, choices: [{ index, delta, logprobs: null, finish_reason }], ...noUsage })
      await answerAll(work, n, async (index) => {
        let begun = false
        const begin = async () => {
          if (!begun) await send(index, { role: 'assistant', content: '' }, null)
          begun = true
        }
        const { reason } = await answer(index, async (delta) => {
          await begin()
          await send(index, delta, null)
        })
        await begin()
        await send(index, {}, reason)
      })
      if (withUsage) await events.send({ ...chunk, choices: [], usage: work.usage })
    })
  })
}

function maxTokensOf({ max_completion_tokens, max_tokens }: ChatRequest, context: ServerContext) {
  return max_completion_tokens === undefined
    ? tokenLimit(max_tokens, 'max_tokens', context)
    : tokenLimit(max_completion_tokens, 'max_completion_tokens', context)
}

/**
 * Gives one answer to a conversation.
 * @param send takes its pieces as they come
 */
async function answerChat(
  model: ServedModel,
  work: Work,
  { messages, tools, toolNames }: ServedConversation,
  options: GenerateOptions,
  index: number,
  send: (delta: DeltaMessage) => Promise<void>,
): Promise<ChatAnswer> {
  const choice = new ChatChoice(toolNames)
  const stream = model.chat(messages, { ...options, ...(tools && { tools }) })
  for await (const delta of stream) {
    work.piece()
    for (const piece of choice.push(delta)) await send(piece)
  }
  for (const piece of choice.end()) await send(piece)
  const { generation } = await stream.result()
  const reason = choice.finishReason(generation)
  work.complete(generation, reason, generation.text, index === 0)
  return { choice, reason }
}
