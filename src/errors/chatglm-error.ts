import type { CodeOf, ErrorCode } from './codes.js'
import type { DetailsOf } from './details.js'
import type { ErrorKind } from './kinds.js'

/** What comes with a message: the cause, and the details of codes that have some. */
export type ErrorExtras<Code extends ErrorCode> =
  DetailsOf<Code> extends undefined
    ? [extras?: ErrorOptions]
    : [extras: ErrorOptions & { readonly details: DetailsOf<Code> }]

/**
 * An error of this library. Programs compare its `code` (see `hasCode`); its message is for people and may change. A class
 * for each kind says what a caller can do.
 */
export class ChatGLMError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'ChatGLMError'
  readonly code: Code
  readonly details: DetailsOf<Code>

  constructor(code: Code, message: string, ...[extras]: ErrorExtras<Code>) {
    super(bounded(message), extras && 'cause' in extras ? { cause: extras.cause } : undefined)
    this.code = code
    this.details = (extras as { details?: unknown } | undefined)?.details as DetailsOf<Code>
  }

  /** What a caller can do, in a word: the first one of the code. */
  get kind(): ErrorKind {
    return kindOf(this.code)
  }
}

/** Characters of a message: twenty lines of a file of settings fit. */
const MAX_MESSAGE = 4000

/** A message without its middle where it is too long: names may have any length, and the advice stands at the end. */
function bounded(message: string): string {
  if (message.length <= MAX_MESSAGE) return message
  return `${message.slice(0, MAX_MESSAGE / 2)} … ${message.slice(3 - MAX_MESSAGE / 2)}`
}

/** Something passed to a call, a command or a settings file is wrong. */
export class OptionError<Code extends CodeOf<'option'> = CodeOf<'option'>> extends ChatGLMError<Code> {
  override readonly name = 'OptionError'
}

/** A prompt, a conversation or data cannot be used. */
export class InputError<Code extends CodeOf<'input'> = CodeOf<'input'>> extends ChatGLMError<Code> {
  override readonly name = 'InputError'
}

/** The files of a model, a tokenizer or a prefix cannot be used. */
export class CheckpointError<
  Code extends CodeOf<'checkpoint'> = CodeOf<'checkpoint'>,
> extends ChatGLMError<Code> {
  override readonly name = 'CheckpointError'
}

/** There is no GPU adapter, or it offers too little. */
export class AdapterError<Code extends CodeOf<'adapter'> = CodeOf<'adapter'>> extends ChatGLMError<Code> {
  override readonly name = 'AdapterError'
}

/** Something cannot be read, for reasons outside the data. */
export class SourceError<Code extends CodeOf<'source'> = CodeOf<'source'>> extends ChatGLMError<Code> {
  override readonly name = 'SourceError'
}

/** Something cannot be written. */
export class SinkError<Code extends CodeOf<'sink'> = CodeOf<'sink'>> extends ChatGLMError<Code> {
  override readonly name = 'SinkError'
}

/** The device failed or is gone, and the model with it. */
export class DeviceError<Code extends CodeOf<'device'> = CodeOf<'device'>> extends ChatGLMError<Code> {
  override readonly name = 'DeviceError'
}

/** A training cannot begin or go on. */
export class TrainingError<Code extends CodeOf<'training'> = CodeOf<'training'>> extends ChatGLMError<Code> {
  override readonly name = 'TrainingError'
}

/** The storage of the browser lacks something: itself, space, an item or its files. */
export class StoreError<Code extends CodeOf<'store'> = CodeOf<'store'>> extends ChatGLMError<Code> {
  override readonly name = 'StoreError'
}

/** Somebody else uses what is needed. */
export class BusyError<Code extends CodeOf<'busy'> = CodeOf<'busy'>> extends ChatGLMError<Code> {
  override readonly name = 'BusyError'
}

/** The class of each kind. */
const CLASSES: Readonly<Record<ErrorKind, new (code: never, message: string) => ChatGLMError>> = {
  option: OptionError,
  input: InputError,
  checkpoint: CheckpointError,
  adapter: AdapterError,
  source: SourceError,
  sink: SinkError,
  device: DeviceError,
  training: TrainingError,
  store: StoreError,
  busy: BusyError,
}

function kindOf(code: ErrorCode): ErrorKind {
  return code.slice(0, code.indexOf('.')) as ErrorKind
}

/** An error of any code, of the class of its kind, for those who put errors together again. */
export function createError(
  code: ErrorCode,
  message: string,
  extras: ErrorOptions & { readonly details?: unknown },
): ChatGLMError {
  const Kind = CLASSES[kindOf(code)] as new (...args: unknown[]) => ChatGLMError
  return new Kind(code, message, extras)
}

/**
 * Whether something that was thrown is an error of this library with one of some codes. It also tells errors of another copy
 * of the library, for which `instanceof` does not hold.
 */
export function hasCode<Code extends ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is ChatGLMError<Code> {
  try {
    return error instanceof Error && codes.includes((error as Partial<ChatGLMError<Code>>).code as Code)
  } catch {
    // Anything can be thrown, also what throws when it is looked at.
    return false
  }
}
