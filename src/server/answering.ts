import type { FastifyReply } from 'fastify'
import { toApiError } from './api-error.js'
import type { ServerContext } from './context.js'
import { EventStream } from './event-stream.js'
import type { Work } from './work.js'

/** Runs the answers of a request side by side; where one fails, all end. */
export async function answerAll<Result>(
  work: Work,
  count: number,
  answer: (index: number) => Promise<Result>,
): Promise<Result[]> {
  const running = Array.from({ length: count }, (_, index) =>
    answer(index).catch((error: unknown) => {
      work.abort(error)
      throw error
    }),
  )
  return Promise.all(running)
}

/**
 * Answers a request with events.
 * @param run sends them
 * @throws ApiError for what goes wrong before the first event; later it is the last event
 */
export async function answerWithEvents(
  reply: FastifyReply,
  { options, metrics }: ServerContext,
  run: (events: EventStream) => Promise<void>,
): Promise<FastifyReply> {
  const { work } = reply.request
  const events = new EventStream(reply, options.timeouts, work.signal)
  try {
    await run(events)
    events.end()
  } catch (error) {
    const { constraintField } = work
    const failure = toApiError(error, { retryAfter: metrics.retryAfter, constraintField })
    work.error = failure
    events.fail(failure.body)
    if (!events.opened) throw failure
  }
  return reply
}
