import { computed, signal } from '@preact/signals'
import { report } from '../problems/problems.js'
import {
  clearDatabase,
  deleteConversation,
  readConversations,
  readSetting,
  writeConversation,
  writeSetting,
} from './database.js'
import { DEFAULT_SETTINGS, newConversation } from './defaults.js'
import { endInterrupted } from './tree.js'
import type { Conversation, ConversationSettings } from './types.js'

/** Whether this window keeps conversations; undefined until it is known. */
export const keepsConversations = signal<boolean | undefined>(undefined)

/** Newest first; one without a turn is not among them. */
export const conversations = signal<readonly Conversation[]>([])

/** The conversation that is shown; it is kept once it has a turn. */
export const current = signal<Conversation>(newConversation())

export const currentSettings = computed(() => current.value.settings)

const SETTINGS = 'settings of new conversations'

/** Reads what is kept. */
export async function openConversations(): Promise<void> {
  try {
    conversations.value = (await readConversations()).map(endInterrupted)
    const settings = await readSetting<ConversationSettings>(SETTINGS)
    if (settings) current.value = newConversation({ ...DEFAULT_SETTINGS, ...settings })
    keepsConversations.value = true
  } catch {
    keepsConversations.value = false
  }
}

function keep(work: Promise<void>): void {
  if (keepsConversations.value) work.catch(report)
}

/** Puts a changed conversation in the place of the old one, and keeps it. */
export function save(conversation: Conversation): void {
  if (current.value.id === conversation.id) current.value = conversation
  if (conversation.turns.length === 0) return
  conversations.value = [
    conversation,
    ...conversations.value.filter(({ id }) => id !== conversation.id),
  ].sort((a, b) => b.updatedAt - a.updatedAt)
  keep(writeConversation(conversation))
}

/** The newest state of a conversation, which the user may have left meanwhile. */
export function conversationById(id: string): Conversation | undefined {
  return current.value.id === id ? current.value : conversations.value.find((one) => one.id === id)
}

/** Begins a conversation with the settings of the one before. */
export function startConversation(): void {
  current.value = newConversation(current.value.settings)
}

export function openConversation(id: string): void {
  const found = conversations.value.find((one) => one.id === id)
  if (found) current.value = found
}

export function renameConversation(id: string, title: string): void {
  const found = conversationById(id)
  if (found) save({ ...found, title })
}

export function removeConversation(id: string): void {
  conversations.value = conversations.value.filter((one) => one.id !== id)
  if (current.value.id === id) startConversation()
  keep(deleteConversation(id))
}

export function addConversations(added: readonly Conversation[]): void {
  for (const conversation of added) save(conversation)
}

/** Changes settings of the shown conversation; new ones begin with them. */
export function changeSettings(changes: Partial<ConversationSettings>): void {
  const settings = { ...current.value.settings, ...changes }
  save({ ...current.value, settings })
  keep(writeSetting(SETTINGS, settings))
}

export async function forgetConversations(): Promise<void> {
  if (keepsConversations.value) await clearDatabase()
  conversations.value = []
  current.value = newConversation()
}
