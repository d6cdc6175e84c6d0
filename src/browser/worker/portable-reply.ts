import type { ChatGLMError } from '../../errors/index.js'
import type { ChatReply } from '../../runtime/generate/index.js'
import { type PortableError, packError, unpackError } from './portable-error.js'

/** The result of a stream for a message: a chat's reply may hold the errors of malformed tool calls. */
export function packReply(result: unknown): unknown {
  return mapErrors(result, (error) => packError(error))
}

/** What `packReply` packed. */
export function unpackReply(result: unknown): unknown {
  return mapErrors(
    result,
    (error) => unpackError(error as PortableError) as ChatGLMError<'input.python-literal'>,
  )
}

function mapErrors(result: unknown, map: (error: unknown) => unknown): unknown {
  if (!isReply(result)) return result
  const segments = result.segments.map((segment) =>
    segment.type === 'invalid-tool-call' ? { ...segment, error: map(segment.error) } : segment,
  )
  return { ...result, segments, last: segments[segments.length - 1] }
}

function isReply(result: unknown): result is ChatReply {
  return typeof result === 'object' && result !== null && 'segments' in result
}
