import { OFFICIAL_SAMPLING } from '../../../src/index.js'
import type { Conversation, ConversationSettings, Sampling } from './types.js'

/** The settings of the official `chat()`; its answers end with the context. */
export const DEFAULT_SAMPLING: Sampling = { ...OFFICIAL_SAMPLING, maxTokens: 512, seed: null }

export const DEFAULT_SETTINGS: ConversationSettings = {
  system: '',
  sampling: DEFAULT_SAMPLING,
  tools: [],
  prefix: { name: null, strength: 1 },
  raw: false,
}

export function newConversation(settings: ConversationSettings = DEFAULT_SETTINGS): Conversation {
  const now = Date.now()
  return {
    id: crypto.randomUUID(),
    title: '',
    createdAt: now,
    updatedAt: now,
    settings,
    turns: [],
    current: null,
  }
}
