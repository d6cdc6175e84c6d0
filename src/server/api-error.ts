import { type ChatGLMError, ERROR_KINDS, type ErrorKind, hasCode } from '../errors/index.js'

/** The kinds of errors that OpenAI's clients know. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error'

export interface ApiErrorExtras extends ErrorOptions {
  /** The path of the field that is wrong, as `messages[0].content`. */
  readonly param?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** An answer that says what went wrong, in OpenAI's shape. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly param: string | null
  readonly headers: Readonly<Record<string, string>>

  constructor(
    readonly status: number,
    readonly type: ApiErrorType,
    readonly code: string,
    message: string,
    { param, headers = {}, ...options }: ApiErrorExtras = {},
  ) {
    super(message, options)
    this.param = param ?? null
    this.headers = headers
  }

  /** What is sent. */
  get body() {
    const { message, type, param, code } = this
    return { error: { message, type, param, code } }
  }
}

/** A request that cannot be served as it is. */
export function badRequest(code: string, message: string, param?: string): ApiError {
  return new ApiError(400, 'invalid_request_error', code, message, { param })
}

export function unknownModel(name: string, known: readonly string[]): ApiError {
  const message = `There is no model "${name}" here. There are: ${known.join(', ')}.`
  return new ApiError(404, 'invalid_request_error', 'model_not_found', message, { param: 'model' })
}

/** What OpenAI's fields are called where the library's name is another. */
const FIELDS: Readonly<Record<string, string>> = { stopIds: 'stop', prefixStrength: 'prefix.strength' }

/**
 * The path of the field that gave an option of the library.
 * @param constraintField the field that says what the answer must look like
 */
export function fieldOf(option: string, constraintField = 'response_format'): string {
  if (option === 'constraint.name') return 'tool_choice.function.name'
  const [, kind, rest] = /^constraint(?:\.(\w+))?(.*)$/s.exec(option) ?? []
  if (rest === undefined) {
    return FIELDS[option] ?? option.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  }
  const [at, ...pointer] = rest.split('/')
  const parts = pointer.map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
  return (kind === 'toolCall' ? 'tools' : constraintField) + at + parts.join('')
}

/** Errors of Fastify that a client brings about. */
const FASTIFY_CODES: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_content_length',
  FST_ERR_BAD_URL: 'invalid_url',
}

/** How errors of the library are answered, by their kind. */
const STATUS: Readonly<Partial<Record<ErrorKind, number>>> = {
  option: 400,
  input: 400,
  busy: 429,
  device: 503,
}

export interface ErrorContext {
  /** Seconds after which a refused client may ask again. */
  readonly retryAfter?: number
  /** The field of the request that says what the answer must look like. */
  readonly constraintField?: string | undefined
}

/**
 * The answer to whatever was thrown. What no client can do anything about is told in general terms only: the log has the
 * rest.
 */
export function toApiError(error: unknown, context: ErrorContext = {}): ApiError {
  if (error instanceof ApiError) return error
  if (isLibraryError(error)) return ofLibrary(error, context)
  const { code = '', statusCode = 500, message = '' } = (error ?? {}) as Partial<FastifyError>
  if (statusCode >= 400 && statusCode < 500) {
    return new ApiError(statusCode, 'invalid_request_error', FASTIFY_CODES[code] ?? 'bad_request', message)
  }
  const text = 'The server failed at this request. Its log says more.'
  return new ApiError(500, 'server_error', 'internal_error', text, { cause: error })
}

interface FastifyError {
  readonly code: string
  readonly statusCode: number
  readonly message: string
}

function isLibraryError(error: unknown): error is ChatGLMError {
  return error instanceof Error && (error as Partial<ChatGLMError>).kind !== undefined && isKind(error)
}

const isKind = (error: Error) => ((error as ChatGLMError).kind as string) in ERROR_KINDS

function ofLibrary(error: ChatGLMError, { retryAfter = 1, constraintField }: ErrorContext): ApiError {
  const { message } = error
  if (hasCode(error, 'input.context-overflow')) return badRequest('context_length_exceeded', message)
  if (hasCode(error, 'option.invalid')) {
    const { option, value, expected } = error.details
    const field = fieldOf(option, constraintField)
    return badRequest('invalid_value', `${field} is ${JSON.stringify(value)}; expected ${expected}.`, field)
  }
  if (hasCode(error, 'busy.waiting')) {
    const text = 'Too many requests wait for this model already. Ask again later.'
    const headers = { 'retry-after': String(retryAfter) }
    return new ApiError(429, 'rate_limit_error', 'queue_full', text, { headers, cause: error })
  }
  const status = STATUS[error.kind] ?? 500
  return new ApiError(status, status < 500 ? 'invalid_request_error' : 'server_error', error.code, message, {
    cause: error,
  })
}
