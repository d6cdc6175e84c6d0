import { type ChatGLMError, hasCode } from '../errors/index.js'
import type { AssistantMessage } from './chat-format.js'
import { type PythonValue, parseToolCall } from './python-literal.js'
import type { Tokenizer } from './tokenizer.js'

/** Text for the user. */
export interface TextSegment {
  type: 'text'
  text: string
}

/** The model wants a tool to be called; answer with an observation message. */
export interface ToolCallSegment {
  type: 'tool-call'
  name: string
  parameters: Record<string, PythonValue>
}

/** The model tried to call a tool, but what it wrote is no call of literals. */
export interface InvalidToolCallSegment {
  type: 'invalid-tool-call'
  name: string
  content: string
  error: ChatGLMError<'input.python-literal'>
}

/** The model wants code to be run; answer with an observation message. */
export interface CodeSegment {
  type: 'code'
  /** Who is to run it: `interpreter`. */
  name: string
  /** What the model wrote, with the fences around the code. */
  content: string
  code: string
}

export type ReplySegment = TextSegment | ToolCallSegment | InvalidToolCallSegment | CodeSegment

export interface Reply {
  /** What the model said in one go, for example a thought and then the call of a tool. Never empty. */
  segments: ReplySegment[]
  /** The last segment, the one that the conversation continues from. */
  last: ReplySegment
  /** What to append to the conversation, a message for each segment. */
  messages: AssistantMessage[]
}

export interface ReplyOptions {
  /** Whether the conversation has tools (`hasTools`): a segment meant for somebody is then a call, else it is code. */
  hasTools?: boolean
  /** Names of tools (`toolNames`): they are recognised whatever they look like, others if they are like identifiers. */
  toolNames?: ReadonlySet<string>
}

/**
 * Takes the text of an answer apart, as `process_response` of `modeling_chatglm.py` does: segments between
 * `<|assistant|>`, each with metadata in its first line unless it has one line only. Text has spaces around it
 * removed, and the date of training filled in for who reads it, not for the model.
 *
 * Three things differ. Metadata and content of later segments lose the space that decoding leaves before them, so
 * that encoding the messages again gives the ids that the model generated. A call that cannot be read is a segment
 * of its own and not an exception, as it is the model's mistake and the conversation can go on. A first line that
 * names nobody, by `isMetadata`, is text: a model that forgets the empty line still says something.
 */
export function parseReply(output: string, options: ReplyOptions = {}): Reply {
  return replyOf(output.split('<|assistant|>'), options)
}

/**
 * The same for generated ids. They end before the first stop token; an `<|assistant|>` that the model spelled out in
 * text is text.
 */
export function parseReplyIds(
  tokenizer: Tokenizer,
  ids: readonly number[],
  options: ReplyOptions = {},
): Reply {
  const segments: number[][] = [[]]
  for (const id of ids) {
    if (tokenizer.stopIds.includes(id)) break
    if (id === tokenizer.special.assistant) segments.push([])
    else segments[segments.length - 1].push(id)
  }
  return replyOf(
    segments.map((segment) => tokenizer.decode(segment)),
    options,
  )
}

/** The only one that a segment can be meant for in a conversation without tools. */
const INTERPRETER = 'interpreter'

/** Whether the first line of a segment, without spaces around it, says whom the segment is meant for; empty: nobody. */
export function isMetadata(line: string, { hasTools = false, toolNames }: ReplyOptions): boolean {
  if (line === '' || line === INTERPRETER || toolNames?.has(line)) return true
  return hasTools && IDENTIFIER.test(line)
}

/** Whether the beginning of a first line, without spaces around it, may become metadata: the name of a tool. */
export function mayBecomeMetadata(line: string, { hasTools = false, toolNames }: ReplyOptions): boolean {
  if (INTERPRETER.startsWith(line) || (hasTools && IDENTIFIER.test(line))) return true
  return [...(toolNames ?? [])].some((name) => name.startsWith(line))
}

const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_.-]{0,63}$/u

function replyOf(texts: readonly string[], options: ReplyOptions): Reply {
  const messages = texts.map((text) => messageOf(text, options))
  const segments = messages.map((message) => segmentOf(message, options.hasTools === true))
  return { segments, last: segments[segments.length - 1], messages }
}

function messageOf(text: string, options: ReplyOptions): AssistantMessage & { metadata: string } {
  const end = text.indexOf('\n')
  const metadata = end === -1 ? '' : strip(text.slice(0, end))
  return isMetadata(metadata, options)
    ? { role: 'assistant', metadata, content: strip(text.slice(end + 1)) }
    : { role: 'assistant', metadata: '', content: strip(text) }
}

function segmentOf(
  { metadata, content }: { metadata: string; content: string },
  hasTools: boolean,
): ReplySegment {
  if (metadata === '') return { type: 'text', text: content.replaceAll('[[训练时间]]', '2023年') }
  const code = withoutFences(content)
  if (!hasTools) return { type: 'code', name: metadata, content, code }
  try {
    return { type: 'tool-call', name: metadata, parameters: parseToolCall(code) }
  } catch (error) {
    if (!hasCode(error, 'input.python-literal')) throw error
    return { type: 'invalid-tool-call', name: metadata, content, error }
  }
}

function withoutFences(content: string): string {
  const lines = content.split('\n')
  if (lines[0].startsWith('```')) lines.shift()
  if (lines.at(-1)?.startsWith('```')) lines.pop()
  return lines.join('\n')
}

/** Python's `str.strip()`, whose spaces are not quite those of `String.prototype.trim`. */
function strip(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text[start])) start++
  while (end > start && isSpace(text[end - 1])) end--
  return text.slice(start, end)
}

function isSpace(character: string): boolean {
  return (/\s/.test(character) && character !== '\ufeff') || '\x1c\x1d\x1e\x1f\x85'.includes(character)
}
