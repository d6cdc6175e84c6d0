import { CorruptFileError, messageOf } from '../errors.js'

export type JsonObject = { readonly [key: string]: unknown }

/** Whether a parsed JSON value is an object, neither array nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a parsed JSON value is a whole number from 0 to 2^53 - 1: a size, an offset, a dimension. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/**
 * Parses the JSON text of a file.
 *
 * @param file the file's name, for messages
 * @throws CorruptFileError for bytes that are no UTF-8 or no JSON, and for objects that give a key twice:
 * readers disagree about which one counts
 */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  let value: unknown
  let key: string | undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    value = JSON.parse(text)
    key = findDuplicateKey(text)
  } catch (error) {
    throw new CorruptFileError(
      `${file} is not valid JSON: ${messageOf(error).slice(0, 200)}. Download or write the file again.`,
    )
  }
  if (key !== undefined) {
    throw new CorruptFileError(
      `${file} gives the key ${JSON.stringify(key.slice(0, 200))} twice in one object.`,
    )
  }
  return value
}

/**
 * The first key that an object of `text` gives twice.
 *
 * @param text valid JSON
 */
function findDuplicateKey(text: string): string | undefined {
  // One entry an open container: the keys of an object, undefined for an array.
  const open: (Set<string> | undefined)[] = []
  const token = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const found = match[0]
    if (found === '{') open.push(new Set())
    else if (found === '[') open.push(undefined)
    else if (found === '}' || found === ']') open.pop()
    else if (match[1] !== undefined) {
      const key = JSON.parse(found.slice(0, -match[1].length)) as string
      const keys = open[open.length - 1]
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return undefined
}
