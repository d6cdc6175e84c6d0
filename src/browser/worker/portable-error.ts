import { ChatGLMError, createError, type ErrorCode } from '../../errors/index.js'

/** An error as plain data, which `postMessage` carries: it would make a subclass a bare `Error`. */
export interface PortableError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly cause: PortableError | undefined
  /** Of errors of this library: what a program compares, and what it says more. */
  readonly code: ErrorCode | undefined
  readonly details: unknown
  readonly isDomException: boolean
}

/** Built-in classes that callers tell apart. */
const BUILT_IN = { RangeError, TypeError } as const

/** Takes an error apart. What was thrown but is no error becomes one with its text. */
export function packError(error: unknown): PortableError {
  if (!(error instanceof Error)) return packError(new Error(String(error)))
  const { name, message, stack, cause } = error
  const { code, details } = error instanceof ChatGLMError ? error : {}
  return {
    name,
    message,
    stack,
    cause: cause === undefined ? undefined : packError(cause),
    code,
    details,
    isDomException: typeof DOMException !== 'undefined' && error instanceof DOMException,
  }
}

/** Puts an error together again: of the class of its kind, with its code and details. */
export function unpackError(packed: PortableError): Error {
  const { message, stack, cause, code, details, isDomException } = packed
  if (isDomException) return new DOMException(message, packed.name)
  const options = cause ? { cause: unpackError(cause) } : {}
  const error = code ? createError(code, message, { ...options, details }) : plainError(packed, options)
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  return error
}

function plainError({ name, message }: PortableError, options: ErrorOptions): Error {
  if (Object.hasOwn(BUILT_IN, name)) return new BUILT_IN[name as keyof typeof BUILT_IN](message, options)
  const error = new Error(message, options)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, enumerable: true })
  return error
}
