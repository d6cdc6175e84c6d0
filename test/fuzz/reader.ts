import { ChatGLMError, type ErrorCode, type ErrorKind } from '../../src/errors/index.js'

/** What a reader may fail with: a code, or any of a kind. */
export type Failure = ErrorCode | ErrorKind

export function isOneOf(error: unknown, failures: readonly Failure[]): boolean {
  return error instanceof ChatGLMError && [error.code, error.kind].some((one) => failures.includes(one))
}

/** A reader of what strangers wrote, for the fuzzer and its test. */
export interface Reader {
  readonly name: string
  /** Small, complete inputs. */
  readonly inputs: readonly Uint8Array[]
  /** What means something in the format. */
  readonly words: readonly Uint8Array[]
  /** Reads bytes to the end and uses what it gives, or fails with one of {@link allowed}. */
  readonly run: (bytes: Uint8Array) => unknown
  readonly allowed: readonly Failure[]
}

export function reader(
  name: string,
  seeds: readonly Uint8Array[],
  words: readonly string[],
  run: Reader['run'],
  ...allowed: readonly Failure[]
): Reader {
  return { name, inputs: seeds, words: words.map((word) => Buffer.from(word, 'latin1')), run, allowed }
}

export const JSON_WORDS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '\\',
  'null',
  '-0',
  '1e999',
  '4294967296',
  '"__proto__":',
]

export const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
