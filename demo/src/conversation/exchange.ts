import { DEFAULT_SETTINGS } from './defaults.js'
import type { Conversation, Turn } from './types.js'

const FORMAT = 'chatglm-webgpu conversations'

interface Exchange {
  readonly format: typeof FORMAT
  readonly version: 1
  readonly conversations: readonly Conversation[]
}

/** What a file that is not imported is: no JSON, of another format, or damaged. */
type ImportProblem = 'json' | 'format' | 'damaged'

/** The file does not hold conversations of this page. */
export class ImportError extends Error {
  override readonly name = 'ImportError'

  constructor(
    readonly problem: ImportProblem,
    options?: ErrorOptions,
  ) {
    super(`The file holds no conversations: ${problem}.`, options)
  }
}

export function exportConversations(conversations: readonly Conversation[]): string {
  const exchange: Exchange = { format: FORMAT, version: 1, conversations }
  return JSON.stringify(exchange, null, 2)
}

/**
 * Reads exported conversations. They get new ids, so that nothing that exists is replaced, and their tools are
 * switched off: code of others does not run before its new owner says so.
 * @throws ImportError
 */
export function importConversations(text: string): Conversation[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new ImportError('json', { cause: error })
  }
  const { format, version, conversations } = (value ?? {}) as Partial<Exchange>
  if (format !== FORMAT || version !== 1 || !Array.isArray(conversations)) {
    throw new ImportError('format')
  }
  return conversations.map((conversation: Conversation) => {
    if (!isConversation(conversation)) throw new ImportError('damaged')
    const settings = { ...DEFAULT_SETTINGS, ...conversation.settings }
    const tools = settings.tools.map((tool) => ({ ...tool, enabled: false }))
    return { ...conversation, id: crypto.randomUUID(), settings: { ...settings, tools } }
  })
}

function isConversation({ title, turns, current, createdAt, settings }: Partial<Conversation>): boolean {
  if (typeof title !== 'string' || typeof createdAt !== 'number' || typeof settings !== 'object') return false
  if (!Array.isArray(turns) || !turns.every(isTurn)) return false
  // A parent comes before its children, so that every path ends.
  const seen = new Set<string | null>([null])
  for (const { id, parent } of turns as Turn[]) {
    if (seen.has(id) || !seen.has(parent)) return false
    seen.add(id)
  }
  return seen.has(current ?? null)
}

function isTurn(turn: unknown): turn is Turn {
  const { id, parent, content } = (turn ?? {}) as Partial<Turn>
  if (typeof id !== 'string' || (parent !== null && typeof parent !== 'string')) return false
  switch (content?.kind) {
    case 'question':
    case 'observation':
      return typeof content.text === 'string'
    case 'answer':
      return Array.isArray(content.segments) && Array.isArray(content.messages)
    default:
      return false
  }
}
