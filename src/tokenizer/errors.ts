/**
 * A tokenizer file cannot be used: damaged, of another kind, or asking for something that ChatGLM3's
 * tokenizer does not do.
 */
export class TokenizerFileError extends Error {
  override readonly name = 'TokenizerFileError'
  readonly file: string
  readonly expected: string
  readonly found: string

  constructor(file: string, expected: string, found: string, advice: string = DOWNLOAD_AGAIN) {
    super(`${file}: expected ${expected}, found ${found}. ${advice}`)
    this.file = file
    this.expected = expected
    this.found = found
  }
}

const DOWNLOAD_AGAIN = 'Download the file again from the same place as the checkpoint.'

/** `buildPrompt` was given no message. */
export class EmptyPromptError extends Error {
  override readonly name = 'EmptyPromptError'

  constructor() {
    super('There are no messages: expected at least one. Pass the conversation, its last message last.')
  }
}

/** A message has a role that ChatGLM3 has no token for. */
export class UnknownRoleError extends Error {
  override readonly name = 'UnknownRoleError'
  readonly index: number

  constructor(index: number, role: unknown, roles: readonly string[]) {
    super(
      `Message ${index}: expected a role out of ${roles.join(', ')}, found ${describe(role)}. ` +
        `Give the answer of a tool the role "observation".`,
    )
    this.index = index
  }
}

/** A field of a message has the wrong type or stands where it may not. */
export class InvalidMessageError extends Error {
  override readonly name = 'InvalidMessageError'
  readonly index: number

  constructor(index: number, expected: string, found: string, advice: string) {
    super(`Message ${index}: expected ${expected}, found ${found}. ${advice}`)
    this.index = index
  }
}

/** A system message stands after the first place; ChatGLM3 was trained with it at the beginning only. */
export class SystemMessagePositionError extends Error {
  override readonly name = 'SystemMessagePositionError'
  readonly index: number

  constructor(index: number) {
    super(
      `Message ${index}: expected a system message at index 0 only, found one here. ` +
        'Move it to the beginning, or join its text with the one that is there.',
    )
    this.index = index
  }
}

/** A text is not a Python literal, or not a call of literals, as far as this package reads them. */
export class PythonLiteralError extends Error {
  override readonly name = 'PythonLiteralError'
  /** Offset in UTF-16 units from the beginning of the text. */
  readonly position: number

  constructor(source: string, position: number, expected: string) {
    const before = source.slice(0, position)
    const line = before.split('\n').length
    const column = position - before.lastIndexOf('\n')
    const rest = source.slice(position, position + 20)
    super(
      `Line ${line}, column ${column}: expected ${expected}, found ${rest === '' ? 'the end' : describe(rest)}. ` +
        'Only Python literals are read, nothing is evaluated: write every value out.',
    )
    this.position = position
  }
}

/** A value, as tools or an observation, cannot be written as JSON. */
export class UnserializableValueError extends Error {
  override readonly name = 'UnserializableValueError'

  constructor(found: string) {
    super(
      `Expected a value that JSON can hold, found ${found}. Pass plain objects, arrays, strings and numbers.`,
    )
  }
}

/** A short rendering of any value for an error message. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (value === null || typeof value !== 'object') return String(value)
  return Array.isArray(value) ? 'an array' : 'an object'
}
