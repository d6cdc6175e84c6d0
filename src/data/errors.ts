/** Training or evaluation data that cannot be used; the message says which file and line, and what was expected. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError'
}

/** A value of a file or a record, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  const json = JSON.stringify(value) ?? String(value)
  return json.length > 60 ? `${json.slice(0, 60)}…` : json
}
