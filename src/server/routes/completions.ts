import type { FastifyInstance } from 'fastify'
import type { GenerateOptions } from '../../runtime/generate/index.js'
import { answerAll, answerWithEvents } from '../answering.js'
import type { ServerContext } from '../context.js'
import { generationOptions } from '../generation-options.js'
import { checkChoices, tokenLimit } from '../limits.js'
import { type CompletionLogprobs, CompletionTokens, joinLogprobs } from '../logprobs.js'
import { checkTextLength } from '../prompt-length.js'
import { checkRequest } from '../requests/check.js'
import { completionRequest } from '../requests/completion-request.js'
import { constraintOf } from '../requests/constraint-fields.js'
import type { Work } from '../work.js'

/** What OpenAI generates where a request names no limit. */
const DEFAULT_TOKENS = 16

/** A piece of an answer. */
interface Piece {
  readonly text: string
  readonly logprobs: CompletionLogprobs | null
}

interface Prompt {
  readonly ids: readonly number[]
  readonly text: string
  /** Ids at its beginning that its text has not. */
  readonly hidden: number
}

interface CompletionPlan {
  readonly prompt: Prompt
  readonly options: GenerateOptions
  readonly maxTokens: number
  readonly echo: boolean
  /** How many of the likeliest tokens to tell; undefined to tell of none. */
  readonly logprobs: number | undefined
  readonly countsPrompt: boolean
}

/** `POST /v1/completions` */
export function completionRoutes(app: FastifyInstance, context: ServerContext): void {
  const { model, catalog } = context
  const { tokenizer } = model

  const promptOf = (prompt: string | readonly number[]): Prompt => {
    if (typeof prompt !== 'string') return { ids: prompt, text: tokenizer.decode(prompt), hidden: 0 }
    checkTextLength([prompt], model)
    return { ids: tokenizer.encodePrompt(prompt), text: prompt, hidden: tokenizer.encodePrompt('').length }
  }

  app.post('/v1/completions', async (request, reply) => {
    const { work } = request
    const body = checkRequest(completionRequest, request.body)
    const { n = 1, stream = false, echo = false, logprobs } = body
    checkChoices(n * body.prompt.length, context)
    const target = catalog.resolve(body)
    Object.assign(work, { target, stream })
    const asked = constraintOf(body)
    work.constraintField = asked?.field
    const maxTokens = tokenLimit(body.max_tokens, 'max_tokens', context) ?? DEFAULT_TOKENS
    const prompts = body.prompt.map(promptOf)
    const count = prompts.length * n
    const answer = (index: number, send: (piece: Piece) => Promise<void>) => {
      const common = generationOptions(body, target, maxTokens, index % n, work.signal)
      const options = { ...common, constraint: asked?.constraint }
      const prompt = prompts[Math.floor(index / n)]
      const plan = { prompt, options, maxTokens, echo, logprobs, countsPrompt: index % n === 0 }
      return answerCompletion(context, work, plan, send)
    }
    const created = Math.floor(work.time.getTime() / 1000)
    const envelope = { id: `cmpl-${work.id}`, object: 'text_completion', created, model: target.model }
    if (!stream) {
      const choices = await answerAll(work, count, async (index) => {
        const pieces: Piece[] = []
        const finish_reason = await answer(index, async (piece) => void pieces.push(piece))
        const told = pieces.flatMap((piece) => piece.logprobs ?? [])
        const text = pieces.map((piece) => piece.text).join('')
        return { index, text, logprobs: logprobs === undefined ? null : joinLogprobs(told), finish_reason }
      })
      return { ...envelope, choices, usage: work.usage }
    }
    return answerWithEvents(reply, context, async (events) => {
      const withUsage = body.stream_options?.include_usage === true
      const noUsage = withUsage ? { usage: null } : {}
      const send = (index: number, piece: Piece, finish_reason: string | null) =>
        events.send({ ...envelope, choices: [{ index, ...piece, finish_reason }], ...noUsage })
      await answerAll(work, count, async (index) => {
        const reason = await answer(index, (piece) => send(index, piece, null))
        await send(index, { text: '', logprobs: null }, reason)
      })
      if (withUsage) await events.send({ ...envelope, choices: [], usage: work.usage })
    })
  })
}

/**
 * Continues one prompt.
 * @param send takes its pieces as they come, the prompt first where it is to be echoed
 * @returns why it ended
 */
async function answerCompletion(
  { model }: ServerContext,
  work: Work,
  { prompt, options, maxTokens, echo, logprobs, countsPrompt }: CompletionPlan,
  send: (piece: Piece) => Promise<void>,
): Promise<string> {
  const { tokenizer } = model
  const { ids } = prompt
  const told = logprobs === undefined ? undefined : new CompletionTokens(tokenizer, logprobs)
  if (told && echo) {
    const { prefix, prefixStrength, signal } = options
    const scores = await model.scores(ids, { top: logprobs, prefix, prefixStrength, signal })
    await send({ text: prompt.text, logprobs: told.tell(scores.tokens, prompt.hidden) })
  } else if (echo) {
    await send({ text: prompt.text, logprobs: null })
  }
  if (maxTokens === 0) {
    work.complete({ ids: [], promptTokens: ids.length, cachedTokens: 0 }, 'length', '', countsPrompt)
    return 'length'
  }
  // Their own log-probabilities come always, the likeliest tokens where one at least was asked for.
  const stream = model.generate(ids, { ...options, topLogprobs: logprobs })
  // The library begins an answer without the space of its first word; here it goes on from the prompt, unless it has a form.
  const { constraint } = options
  let space: string | undefined
  for await (const token of stream) {
    work.piece()
    const isStop = tokenizer.stopIds.includes(token.id)
    if (space === undefined && !isStop) {
      space = !constraint && tokenizer.vocabulary.text(token.id).startsWith(' ') ? ' ' : ''
    }
    const text = token.text === '' ? '' : (space ?? '') + token.text
    if (text !== '') space = ''
    // A stop token is told of, too, although it has no text: lm-evaluation-harness counts on an entry for each token.
    if (text !== '' || told) await send({ text, logprobs: told?.tell([token], isStop ? 1 : 0) ?? null })
  }
  const generation = await stream.result()
  const reason = generation.finishReason === 'stop' ? 'stop' : 'length'
  work.complete(generation, reason, generation.text, countsPrompt)
  return reason
}
