import { CheckpointError, describe, InputError } from '../errors/index.js'

const DOWNLOAD_AGAIN = 'Download the file again from the same place as the checkpoint.'

/**
 * A tokenizer file cannot be used: damaged, of another kind, or asking for something that ChatGLM3's
 * tokenizer does not do.
 */
export function invalidTokenizer(file: string, expected: string, found: string, advice = DOWNLOAD_AGAIN) {
  return new CheckpointError(
    'checkpoint.tokenizer-invalid',
    `${file}: expected ${expected}, found ${found}. ${advice}`,
    { details: { file, expected, found } },
  )
}

/** `buildPrompt` was given no message. */
export function emptyConversation() {
  return new InputError(
    'input.messages-empty',
    'There are no messages: expected at least one. Pass the conversation, its last message last.',
  )
}

/** A message has a role that ChatGLM3 has no token for. */
export function unknownRole(index: number, role: unknown, roles: readonly string[]) {
  return new InputError(
    'input.role-unknown',
    `Message ${index}: expected a role out of ${roles.join(', ')}, found ${describe(role)}. ` +
      `Give the answer of a tool the role "observation".`,
    { details: { index } },
  )
}

/** A field of a message has the wrong type or stands where it may not. */
export function invalidMessage(index: number, expected: string, found: string, advice: string) {
  return new InputError(
    'input.message-invalid',
    `Message ${index}: expected ${expected}, found ${found}. ${advice}`,
    { details: { index } },
  )
}

/** A system message stands after the first place; ChatGLM3 was trained with it at the beginning only. */
export function misplacedSystemMessage(index: number) {
  return new InputError(
    'input.system-misplaced',
    `Message ${index}: expected a system message at index 0 only, found one here. ` +
      'Move it to the beginning, or join its text with the one that is there.',
    { details: { index } },
  )
}

/**
 * A text is not a Python literal, or not a call of literals, as far as this package reads them.
 * @param position offset in UTF-16 units from the beginning of the text
 */
export function notALiteral(source: string, position: number, expected: string) {
  const before = source.slice(0, position)
  const line = before.split('\n').length
  const column = position - before.lastIndexOf('\n')
  const rest = source.slice(position, position + 20)
  return new InputError(
    'input.python-literal',
    `Line ${line}, column ${column}: expected ${expected}, found ${rest === '' ? 'the end' : describe(rest)}. ` +
      'Only Python literals are read, nothing is evaluated: write every value out.',
    { details: { position } },
  )
}

/**
 * A text is not JSON.
 * @param position offset in UTF-16 units from the beginning of the text
 */
export function invalidJson(text: string, position: number, expected: string) {
  const before = text.slice(0, position)
  const line = before.split('\n').length
  const column = position - before.lastIndexOf('\n')
  const rest = text.slice(position, position + 20)
  const at = line === 1 ? `column ${column}` : `line ${line}, column ${column}`
  const found = rest === '' ? 'the end' : describe(rest)
  return new InputError('input.json', `No JSON: expected ${expected} at ${at}, found ${found}.`, {
    details: { position, expected, found },
  })
}

/** A value, as tools or an observation, cannot be written as JSON. */
export function notSerializable(found: string) {
  return new InputError(
    'input.not-serializable',
    `Expected a value that JSON can hold, found ${found}. Pass plain objects, arrays, strings and numbers.`,
  )
}
