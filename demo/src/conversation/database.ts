import { type DBSchema, type IDBPDatabase, openDB } from 'idb'
import type { Conversation } from './types.js'

interface Schema extends DBSchema {
  conversations: { key: string; value: Conversation }
  /** Choices of the user that belong to no conversation, by name. */
  settings: { key: string; value: unknown }
}

const NAME = 'chatglm-webgpu'

let opened: Promise<IDBPDatabase<Schema>> | undefined

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(NAME, 1, {
    upgrade(db) {
      db.createObjectStore('conversations', { keyPath: 'id' })
      db.createObjectStore('settings')
    },
  })
  return opened
}

/** Newest first. @throws what the browser says where it keeps nothing */
export async function readConversations(): Promise<Conversation[]> {
  const all = await (await database()).getAll('conversations')
  return all.sort((a, b) => b.updatedAt - a.updatedAt)
}

export async function writeConversation(conversation: Conversation): Promise<void> {
  await (await database()).put('conversations', conversation)
}

export async function deleteConversation(id: string): Promise<void> {
  await (await database()).delete('conversations', id)
}

export async function readSetting<T>(name: string): Promise<T | undefined> {
  return (await (await database()).get('settings', name)) as T | undefined
}

export async function writeSetting(name: string, value: unknown): Promise<void> {
  await (await database()).put('settings', value, name)
}

/** Forgets all conversations and choices. */
export async function clearDatabase(): Promise<void> {
  const db = await database()
  await Promise.all([db.clear('conversations'), db.clear('settings')])
}
