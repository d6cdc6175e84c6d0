import { type Message, parseJson, stringifyJson } from '../../../src/index.js'
import type { Answer, ConversationSettings, Segment, Tool, Turn } from './types.js'

/** What the model is asked with: the system prompt, and every turn on the path that has something to say. */
export function messagesOf(path: readonly Turn[], { system }: ConversationSettings): Message[] {
  const first: Message[] = system.trim() === '' ? [] : [{ role: 'system', content: system }]
  const rest = path.flatMap(({ content }): Message[] => {
    if (content.kind === 'question') return [{ role: 'user', content: content.text }]
    if (content.kind === 'observation') return [{ role: 'observation', content: content.text }]
    return [...content.messages]
  })
  return [...first, ...rest]
}

/** The descriptions of the enabled tools, in the form that ChatGLM3 was trained with; undefined without any. */
export function toolsOf({ tools }: ConversationSettings): object[] | undefined {
  const enabled = tools.filter((tool) => tool.enabled)
  if (enabled.length === 0) return undefined
  return enabled.map(({ name, description, parameters }) => ({
    name,
    description,
    parameters: parseJson(parameters),
  }))
}

/** The call that an answer ends with and waits for, if it does. */
export function pendingCall({ segments, end }: Answer): Extract<Segment, { type: 'tool-call' }> | undefined {
  const last = segments.at(-1)
  return end === 'stop' && last?.type === 'tool-call' ? last : undefined
}

export function toolNamed(tools: readonly Tool[], name: string): Tool | undefined {
  return tools.find((tool) => tool.enabled && tool.name === name)
}

/** An answer as text, to copy. */
export function textOf(segments: readonly Segment[]): string {
  return segments
    .map((segment) => {
      if (segment.type === 'text') return segment.text
      if (segment.type === 'code') return `${segment.name}\n${segment.code}`
      if (segment.type === 'tool-call') return `${segment.name}(${stringifyJson(segment.parameters)})`
      return `${segment.name}\n${segment.content}`
    })
    .join('\n\n')
}
