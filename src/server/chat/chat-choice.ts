import { randomUUID } from 'node:crypto'
import { hasCode } from '../../errors/index.js'
import type { ChatDelta, Generation } from '../../runtime/generate/index.js'
import { parseToolCall, stringifyJson } from '../../tokenizer/index.js'

/** What an answer's piece adds to it, in OpenAI's form. */
export interface DeltaMessage {
  role?: 'assistant'
  content?: string | null
  tool_calls?: ToolCallDelta[]
}

export interface ToolCallDelta {
  index: number
  id?: string
  type?: 'function'
  function: { name?: string; arguments: string }
}

export type FinishReason = 'stop' | 'length' | 'tool_calls'

/** An answer as it is given out whole. */
export interface ChatMessage {
  readonly role: 'assistant'
  readonly content: string | null
  readonly tool_calls?: readonly {
    readonly id: string
    readonly type: 'function'
    readonly function: { readonly name: string; readonly arguments: string }
  }[]
}

/** The beginning of what the model writes to call a tool. */
const CALL = 'tool_call'

/**
 * One answer to a conversation as it comes. Text is given out at once, but for spaces that may be its end. A call of a tool
 * is held until it is whole, because its arguments are Python and become JSON.
 */
export class ChatChoice {
  readonly #toolNames: ReadonlySet<string>
  readonly #mustCall: boolean
  #content = ''
  /** Spaces behind what was given out. */
  #spaces = ''
  #segment = -1
  /** A segment that may be a call: whom it is meant for, and its text so far. */
  #held: { readonly name: string; text: string } | undefined
  readonly #calls: { readonly id: string; readonly name: string; arguments: string }[] = []

  /**
   * @param toolNames the tools that the model may call
   * @param mustCall whether the answer is a call for certain: then its name is told as soon as it is there
   */
  constructor(toolNames: ReadonlySet<string>, mustCall = false) {
    this.#toolNames = toolNames
    this.#mustCall = mustCall
  }

  /** Takes a piece of the answer. @returns what is certain of it now */
  push({ text, segment, metadata }: ChatDelta): DeltaMessage[] {
    const deltas = segment === this.#segment ? [] : this.#begin(segment, metadata)
    if (!this.#held) return [...deltas, ...this.#say(text)]
    this.#held.text += text
    if (this.#mayBeCall(this.#held)) return deltas
    return [...deltas, ...this.#release()]
  }

  /** Ends the answer. @returns the rest of it */
  end(): DeltaMessage[] {
    return this.#endSegment()
  }

  /** Why it ended. */
  finishReason({ finishReason }: Generation): FinishReason {
    if (finishReason !== 'stop') return 'length'
    return this.#calls.length > 0 ? 'tool_calls' : 'stop'
  }

  /** All of it. */
  get message(): ChatMessage {
    const calls = this.#calls.map(({ id, name, arguments: text }) => ({
      id,
      type: 'function' as const,
      function: { name, arguments: text },
    }))
    const content = this.#content === '' && calls.length > 0 ? null : this.#content
    return { role: 'assistant', content, ...(calls.length > 0 && { tool_calls: calls }) }
  }

  #begin(segment: number, metadata: string): DeltaMessage[] {
    const deltas = this.#endSegment()
    this.#segment = segment
    if (metadata !== '') {
      this.#held = { name: metadata, text: '' }
      if (this.#mustCall) deltas.push(this.#tellName(metadata))
    }
    // Segments are lines of their own.
    if (this.#content !== '') this.#spaces = '\n'
    return deltas
  }

  #endSegment(): DeltaMessage[] {
    const held = this.#held
    if (!held) return []
    const text = callArguments(held.text)
    if (text === undefined && !this.#toolNames.has(held.name)) return this.#release()
    this.#held = undefined
    const deltas = this.#mustCall ? [] : [this.#tellName(held.name)]
    const index = this.#calls.length - 1
    const call = this.#calls[index]
    // What cannot be read as a call is told as it is: the client says so to the model.
    call.arguments = text ?? held.text.trim()
    return [...deltas, { tool_calls: [{ index, function: { arguments: call.arguments } }] }]
  }

  #tellName(name: string): DeltaMessage {
    const index = this.#calls.length
    const id = `call_${randomUUID()}`
    this.#calls.push({ id, name, arguments: '' })
    return { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] }
  }

  /** Whether a segment may be a call of a tool still; what is meant for one that was offered always is. */
  #mayBeCall({ name, text }: { readonly name: string; readonly text: string }): boolean {
    if (this.#toolNames.size === 0) return false
    if (this.#toolNames.has(name)) return true
    const code = text.replace(/^\s*(```[^\n]*(\n|$))?\s*/, '')
    return code.startsWith(CALL) || CALL.startsWith(code)
  }

  /** A segment that is no call is text: its first line was what looked like a name. */
  #release(): DeltaMessage[] {
    const held = this.#held
    this.#held = undefined
    return held ? this.#say(`${held.name}\n${held.text}`) : []
  }

  #say(text: string): DeltaMessage[] {
    const said = this.#spaces + text
    const content = said.trimEnd()
    if (content === '') {
      this.#spaces = this.#content === '' ? '' : said
      return []
    }
    this.#spaces = said.slice(content.length)
    this.#content += content
    return [{ content }]
  }
}

/** The arguments of a call as JSON text; undefined where it cannot be read. */
function callArguments(text: string): string | undefined {
  const code = text
    .trim()
    .replace(/^```[^\n]*\n?/, '')
    .replace(/\n?```$/, '')
  try {
    return stringifyJson(parseToolCall(code))
  } catch (error) {
    if (!hasCode(error, 'input.python-literal')) throw error
    return undefined
  }
}
