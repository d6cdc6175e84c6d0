import type { ReplySegment } from '../index.js'
import { AnswerView, detailsOf, remarks, speedOf } from './answer-view.js'
import type { Answer, ChatSession } from './chat-session.js'
import type { Library } from './library.js'
import type { Terminal } from './terminal.js'

/** How the answer to a single prompt is given out. */
export interface OneShotFlags {
  /** One JSON object instead of the text. */
  readonly json: boolean
  /** All that is known about the answer, besides. */
  readonly stats: boolean
}

/** Answers one prompt. */
export async function answerOnce(
  session: ChatSession,
  prompt: string,
  { library, terminal }: { readonly library: Library; readonly terminal: Terminal },
  { json, stats }: OneShotFlags,
  signal: AbortSignal,
): Promise<void> {
  const view = json ? undefined : new AnswerView(terminal)
  try {
    const answer = await session.ask({ role: 'user', content: prompt }, view?.show ?? (() => {}), signal)
    view?.end()
    if (json) terminal.print(library.stringifyJson(toJson(answer, session.prefixName)))
    else for (const remark of remarks(answer)) terminal.say(terminal.colors.yellow(remark))
    if (stats) for (const line of detailsOf(answer, session.model.memory)) terminal.note(line)
    else if (!json && terminal.screen) {
      terminal.note(speedOf(answer.stats))
    }
  } catch (error) {
    view?.end()
    throw error
  }
}

/** An error of a segment is an object with no fields of its own, so that JSON would lose it. */
function plain(segment: ReplySegment): object {
  return segment.type === 'invalid-tool-call' ? { ...segment, error: segment.error.message } : segment
}

function toJson({ segments, generation, stats, seed }: Answer, prefix: string | undefined): object {
  const texts = segments.flatMap((segment) => (segment.type === 'text' ? [segment.text] : []))
  const { ids, logprobs, finishReason, stopId, promptTokens, cachedTokens } = generation
  return {
    text: texts.join('\n'),
    segments: segments.map(plain),
    toolCalls: segments.flatMap((segment) =>
      segment.type === 'tool-call' ? [{ name: segment.name, parameters: segment.parameters }] : [],
    ),
    ids,
    logprobs,
    finishReason,
    stopId: stopId ?? null,
    promptTokens,
    cachedTokens,
    seed,
    prefix: prefix ?? null,
    stats,
  }
}
