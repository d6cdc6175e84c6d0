import type { FastifyInstance } from 'fastify'
import type { GenerateOptions } from '../../runtime/generate/index.js'
import { answerAll, answerWithEvents } from '../answering.js'
import { badRequest } from '../api-error.js'
import { ChatChoice, type DeltaMessage, type FinishReason } from '../chat/chat-choice.js'
import { readConversation, type ServedConversation } from '../chat/conversation.js'
import type { ServerContext } from '../context.js'
import { generationOptions } from '../generation-options.js'
import { checkChoices, tokenLimit } from '../limits.js'
import { chatLogprobs } from '../logprobs.js'
import { checkTextLength } from '../prompt-length.js'
import { type ChatRequest, chatRequest } from '../requests/chat-request.js'
import { checkRequest } from '../requests/check.js'
import { constraintOf } from '../requests/constraint-fields.js'
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
    const likeliest = likeliestOf(body)
    const asked = constraintOf(body)
    work.constraintField = asked?.field
    // A call that must be made leaves nothing for another form.
    const constraint = conversation.mustCall ?? asked?.constraint
    const answer = (index: number, send: (piece: ChatPiece) => Promise<void>) => {
      const options = generationOptions(body, target, maxTokens, index, work.signal)
      return answerChat(context.model, work, conversation, { ...options, constraint, likeliest }, index, send)
    }
    const created = Math.floor(work.time.getTime() / 1000)
    const envelope = { id: `chatcmpl-${work.id}`, created, model: target.model }
    if (!stream) {
      const choices = await answerAll(work, n, async (index) => {
        const told: ChatPiece[] = []
        const { choice, reason } = await answer(index, async (piece) => void told.push(piece))
        const message = { ...choice.message, refusal: null }
        const content = told.flatMap(({ logprobs }) => logprobs?.content ?? [])
        const logprobs = likeliest === undefined ? null : { content, refusal: null }
        return { index, message, logprobs, finish_reason: reason }
      })
      return { ...envelope, object: 'chat.completion', choices, usage: work.usage }
    }
    return answerWithEvents(reply, context, async (events) => {
      const withUsage = body.stream_options?.include_usage === true
      const chunk = { ...envelope, object: 'chat.completion.chunk' }
      const noUsage = withUsage ? { usage: null } : {}
      const send = (index: number, piece: ChatPiece, finish_reason: FinishReason | null) =>
        events.send({ ...chunk, choices: [{ index, ...piece, finish_reason }], ...noUsage })
      await answerAll(work, n, async (index) => {
        let begun = false
        const begin = async () => {
          if (!begun) await send(index, { delta: { role: 'assistant', content: '' }, logprobs: null }, null)
          begun = true
        }
        const { reason } = await answer(index, async (piece) => {
          await begin()
          await send(index, piece, null)
        })
        await begin()
        await send(index, { delta: {}, logprobs: null }, reason)
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
 * How many of the likeliest tokens to tell of each; undefined to tell of none.
 * @throws ApiError 400 for `top_logprobs` without `logprobs`
 */
function likeliestOf({ logprobs = false, top_logprobs }: ChatRequest): number | undefined {
  if (logprobs) return top_logprobs ?? 0
  if (!top_logprobs) return undefined
  const message = 'top_logprobs needs logprobs to be true.'
  throw badRequest('invalid_value', message, 'top_logprobs')
}

/** A piece of an answer, as a chunk has it. */
interface ChatPiece {
  readonly delta: DeltaMessage
  readonly logprobs: { readonly content: ReturnType<typeof chatLogprobs>; readonly refusal: null } | null
}

/**
 * Gives one answer to a conversation.
 * @param send takes its pieces as they come
 */
async function answerChat(
  model: ServedModel,
  work: Work,
  { messages, tools, toolNames, mustCall }: ServedConversation,
  { likeliest, ...options }: GenerateOptions & { readonly likeliest: number | undefined },
  index: number,
  send: (piece: ChatPiece) => Promise<void>,
): Promise<ChatAnswer> {
  const choice = new ChatChoice(toolNames, mustCall !== undefined)
  // The library tells of tokens where it is asked for one at least.
  const topLogprobs = likeliest === undefined ? undefined : Math.max(1, likeliest)
  const stream = model.chat(messages, { ...options, ...(tools && { tools }), topLogprobs })
  for await (const delta of stream) {
    work.piece()
    const { tokens } = delta
    let content = tokens && chatLogprobs(model.tokenizer, tokens, likeliest ?? 0)
    const pieces = choice.push(delta)
    // Tokens of what is held back are told with an empty piece.
    if (pieces.length === 0 && content?.length) pieces.push({ content: '' })
    for (const piece of pieces) {
      await send({ delta: piece, logprobs: content ? { content, refusal: null } : null })
      content = undefined
    }
  }
  for (const delta of choice.end()) await send({ delta, logprobs: null })
  const { generation } = await stream.result()
  const reason = choice.finishReason(generation)
  work.complete(generation, reason, generation.text, index === 0)
  return { choice, reason }
}
