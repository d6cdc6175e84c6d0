import type { Conversation, Turn } from './types.js'

/** The turns from the first to `id`. */
export function pathTo(turns: readonly Turn[], id: string | null): Turn[] {
  const byId = new Map(turns.map((turn) => [turn.id, turn]))
  const path: Turn[] = []
  const turnOf = (key: string | null) => (key === null ? undefined : byId.get(key))
  for (let turn = turnOf(id); turn; turn = turnOf(turn.parent)) path.unshift(turn)
  return path
}

/** A turn and its alternatives, in the order in which they were made. */
export function alternatives(turns: readonly Turn[], { parent }: Turn): Turn[] {
  return turns.filter((other) => other.parent === parent)
}

/** Where the newest line below a turn ends. */
export function newestLeaf(turns: readonly Turn[], id: string): string {
  const newest = turns.findLast(({ parent }) => parent === id)
  return newest ? newestLeaf(turns, newest.id) : id
}

/** Adds a turn, and shows it. */
export function withTurn(conversation: Conversation, turn: Turn): Conversation {
  return { ...conversation, turns: [...conversation.turns, turn], current: turn.id, updatedAt: Date.now() }
}

/** Replaces the content of a turn. */
export function withContent(conversation: Conversation, id: string, content: Turn['content']): Conversation {
  const turns = conversation.turns.map((turn) => (turn.id === id ? { ...turn, content } : turn))
  return { ...conversation, turns, updatedAt: Date.now() }
}

/** Shows the alternative that is `step` further, with the newest that follows it. */
export function withAlternative(conversation: Conversation, turn: Turn, step: number): Conversation {
  const all = alternatives(conversation.turns, turn)
  const next = all[all.findIndex(({ id }) => id === turn.id) + step]
  return next ? { ...conversation, current: newestLeaf(conversation.turns, next.id) } : conversation
}

/** Answers that were under way when the page was left are over. */
export function endInterrupted(conversation: Conversation): Conversation {
  const turns = conversation.turns.map((turn) =>
    turn.content.kind === 'answer' && turn.content.end === undefined
      ? { ...turn, content: { ...turn.content, end: 'stopped' as const } }
      : turn,
  )
  return { ...conversation, turns }
}
