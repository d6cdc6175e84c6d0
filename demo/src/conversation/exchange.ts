import { parseJson, stringifyJson } from '../../../src/index.js'
import { DEFAULT_SETTINGS } from './defaults.js'
import { readConversation } from './schema.js'
import type { Conversation } from './types.js'

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
  return stringifyJson(exchange, 2)
}

/** JSON with its whole floats as numbers; ids in calls of tools stay bigints. */
function plainNumbers(value: unknown): unknown {
  if (value instanceof Number) return Number(value)
  if (Array.isArray(value)) return value.map(plainNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    [...(value instanceof Map ? value : Object.entries(value))].map(([key, item]) => [
      key,
      plainNumbers(item),
    ]),
  )
}

/**
 * Reads exported conversations. They get new ids, so that nothing that exists is replaced, and their tools are
 * switched off: code of others does not run before its new owner says so.
 * @throws ImportError
 */
export function importConversations(text: string): Conversation[] {
  let value: unknown
  try {
    value = plainNumbers(parseJson(text))
  } catch (error) {
    throw new ImportError('json', { cause: error })
  }
  const { format, version, conversations } = (value ?? {}) as Partial<Exchange>
  if (format !== FORMAT || version !== 1 || !Array.isArray(conversations)) {
    throw new ImportError('format')
  }
  const read = conversations.map(readConversation)
  // All of them or none: nothing is stored before the last one was checked.
  if (!read.every((one) => one !== undefined)) throw new ImportError('damaged')
  return read.map(({ settings, ...rest }) => ({
    ...(rest as Omit<Conversation, 'settings'>),
    id: crypto.randomUUID(),
    settings: {
      ...DEFAULT_SETTINGS,
      ...settings,
      sampling: { ...DEFAULT_SETTINGS.sampling, ...settings.sampling },
      tools: (settings.tools ?? []).map((tool) => ({ ...tool, enabled: false })),
    },
  }))
}
