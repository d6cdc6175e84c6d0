/** A value of a file or a record, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  let json: string
  try {
    json = JSON.stringify(value) ?? String(value)
  } catch {
    // An alias of YAML can make a value part of itself, and JSON can be nested deeper than the stack.
    return 'something that no JSON can hold'
  }
  return json.length > 60 ? `${json.slice(0, 60)}…` : json
}
