const MAX_LENGTH = 60
const MAX_DEPTH = 6

/**
 * A value of a file, a record or a call as a message shows it: like JSON, cut to 60 characters. It takes anything,
 * also what is part of itself or throws when it is looked at.
 */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  try {
    const text = render(value, MAX_LENGTH + 1, 0)
    return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text
  } catch {
    return 'something that cannot be read'
  }
}

/** At least `room` characters of a value, if it has as many. */
function render(value: unknown, room: number, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.length > room ? value.slice(0, room) : value)
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null || value instanceof Number) return String(value)
  if (value instanceof Error) return value.name
  const isList = Array.isArray(value)
  const [open, close] = isList ? '[]' : '{}'
  if (depth > MAX_DEPTH) return `${open}…${close}`
  let text = open
  const items = isList ? value : value instanceof Map ? value : Object.keys(value)
  for (const item of items) {
    const [key, inner] = isList
      ? [undefined, item]
      : Array.isArray(item)
        ? item
        : [item, (value as Record<string, unknown>)[item as string]]
    if (text.length > 1) text += ','
    if (key !== undefined) text += `${JSON.stringify(String(key))}:`
    text += inner === undefined ? 'undefined' : render(inner, room - text.length, depth + 1)
    if (text.length > room) return text
  }
  return text + close
}
