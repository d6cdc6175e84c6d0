import type { ChatDelta, GenerationStats, MemoryUse, ReplySegment } from '../index.js'
import type { Answer } from './chat-session.js'
import { count, formatBytes, formatDuration, significant } from './format.js'
import type { Terminal } from './terminal.js'

/** Shows an answer while it comes. What is meant for a tool and not for the user looks different. */
export class AnswerView {
  readonly #terminal: Terminal
  #segment = 0
  #begun = false

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    terminal.wait()
  }

  readonly show = ({ text, segment, metadata }: ChatDelta): void => {
    const { outputColors: colors } = this.#terminal
    if (!this.#begun || segment !== this.#segment) {
      if (this.#begun) this.#terminal.endLine()
      if (metadata !== '') this.#terminal.write(`→ ${metadata}\n`, colors.cyan)
    }
    this.#begun = true
    this.#segment = segment
    this.#terminal.write(text, metadata === '' ? undefined : colors.cyan)
  }

  /** Ends the answer's last line; what has been written so far may have been cut in the middle. */
  end(): void {
    this.#terminal.endLine()
  }
}

/** What a tool call that cannot be read, or an answer that was cut, is to the user. */
export function remarks({ segments, generation }: Answer): string[] {
  const unreadable = (segment: ReplySegment) =>
    segment.type === 'invalid-tool-call'
      ? [`The call of ${segment.name} cannot be read: ${segment.error.message}`]
      : []
  const full =
    generation.finishReason === 'context' ? ['The context is full. Clear the conversation to go on.'] : []
  return [...segments.flatMap(unreadable), ...full]
}

function speed(tokens: number, seconds: number): string {
  const rate = tokens > 0 && seconds > 0 ? ` at ${significant(tokens / seconds)} tok/s` : ''
  return `${count(tokens, 'token')}${rate}`
}

/** `prefill 31 tokens at 812 tok/s · decode 40 tokens at 35.2 tok/s` */
export function speedOf({
  prefillTokens,
  prefillSeconds,
  decodeTokens,
  decodeSeconds,
}: GenerationStats): string {
  return `prefill ${speed(prefillTokens, prefillSeconds)} · decode ${speed(decodeTokens, decodeSeconds)}`
}

const ENDS = {
  stop: 'ended by itself',
  length: 'ended by --max-tokens',
  context: 'ended by the end of the context',
}

/** All there is to know about an answer, a line for each fact. */
export function detailsOf({ generation, stats, seed }: Answer, memory: MemoryUse): string[] {
  const { promptTokens, cachedTokens, ids, finishReason } = generation
  const kinds = (['weights', 'cache', 'prefixes', 'activations'] as const).filter((kind) => memory[kind] > 0)
  const parts = kinds.map((kind) => `${kind} ${formatBytes(memory[kind])}`)
  const rows: [string, string][] = [
    ['prompt', `${count(promptTokens, 'token')}, ${cachedTokens} of them in the cache already`],
    [
      'answer',
      `${count(ids.length, 'token')} in ${formatDuration(stats.decodeSeconds)}, ${ENDS[finishReason]}`,
    ],
    ['speed', speedOf(stats)],
    ['seed', String(seed)],
    ['memory', `${formatBytes(memory.total)} (${parts.join(', ')})`],
  ]
  return rows.map(([name, value]) => `${name.padEnd(8)}${value}`)
}
