import { CheckpointError } from '../../errors/index.js'
import { messageOf } from '../errors.js'

export type JsonObject = { readonly [key: string]: unknown }

/** Whether a parsed JSON value is an object, neither array nor null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a parsed JSON value is a whole number from 0 to 2^53 - 1: a size, an offset, a dimension. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}

/** The bytes of a JSON file that people may read. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`)
}

/** Levels of objects and lists: a header has three, a record with a tool's description about ten. */
const MAX_JSON_DEPTH = 100
/** Objects, lists and what they hold. The index of a model of 100,000 tensors has as many. */
const MAX_JSON_VALUES = 2 ** 20

/**
 * What is out of proportion in a JSON text; undefined where nothing is. It is asked before the text is parsed, as a
 * list of empty objects takes twenty times the memory of its text, and what is nested deep ends whoever walks over it.
 * Linear in the text, which need not be valid.
 */
export function findJsonExcess(text: string): string | undefined {
  let depth = 0
  let values = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (inString) {
      if (unit === 0x5c) at++
      else if (unit === 0x22) inString = false
    } else if (unit === 0x22) inString = true
    else if (unit === 0x7b || unit === 0x5b) {
      values++
      depth++
      if (depth > MAX_JSON_DEPTH) return `more than ${MAX_JSON_DEPTH} levels of objects and lists`
    } else if (unit === 0x7d || unit === 0x5d) depth--
    else if (unit === 0x2c) values++
    if (values > MAX_JSON_VALUES) return `more than ${MAX_JSON_VALUES} values`
  }
  return undefined
}

/**
 * Parses the JSON text of a file.
 *
 * @param file the file's name, for messages
 * @throws `checkpoint.corrupt` for bytes that are no UTF-8 or no JSON, and for objects that give a key twice:
 * readers disagree about which one counts, and for what is out of proportion
 */
export function parseJson(bytes: Uint8Array, file: string): unknown {
  let value: unknown
  let key: string | undefined
  let excess: string | undefined
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    excess = findJsonExcess(text)
    if (excess === undefined) {
      value = JSON.parse(text)
      key = findDuplicateKey(text)
    }
  } catch (error) {
    throw new CheckpointError(
      'checkpoint.corrupt',
      `${file} is not valid JSON: ${messageOf(error).slice(0, 200)}. Download or write the file again.`,
    )
  }
  if (excess !== undefined)
    throw new CheckpointError('checkpoint.corrupt', `${file} has ${excess}; no such file does.`)
  if (key !== undefined) {
    throw new CheckpointError(
      'checkpoint.corrupt',
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
