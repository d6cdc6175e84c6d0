import { signal } from '@preact/signals'
import type { ChatGLMError, ErrorCode } from '../../../src/index.js'
import type { Strings } from '../i18n/index.js'

/** The names of messages that say what is wrong and what to do. */
export type ProblemKind = Exclude<keyof Strings['problems'], 'lostHidden' | 'useWasm' | 'details' | 'dismiss'>

/** Something that went wrong, as the user is told. */
export interface Problem {
  readonly kind: ProblemKind
  /** The error's own message. */
  readonly details: string
}

/** Every code that has a message of its own here; others are `unknown`. */
const BY_CODE: Readonly<Partial<Record<ErrorCode, ProblemKind>>> = {
  'adapter.none': 'noAdapter',
  'device.out-of-memory': 'memory',
  'adapter.limit': 'limit',
  'device.lost': 'lost',
  'device.worker-failed': 'lost',
  'device.failed': 'driver',
  'adapter.shader-refused': 'driver',
  'store.quota': 'quota',
  'store.unavailable': 'noStorage',
  'source.failed': 'network',
  'source.not-found': 'notFound',
  'store.not-found': 'notFound',
  'store.incomplete': 'damaged',
  'busy.stored-item': 'busy',
  'checkpoint.shard-missing': 'notFound',
  'checkpoint.tokenizer-missing': 'notFound',
  'checkpoint.truncated': 'damaged',
  'checkpoint.corrupt': 'damaged',
  'checkpoint.manifest-mismatch': 'damaged',
  'checkpoint.not-the-file': 'damaged',
  'checkpoint.unsafe-pickle': 'damaged',
  'checkpoint.unsafe-path': 'damaged',
  'checkpoint.tokenizer-invalid': 'damaged',
  'checkpoint.unsupported': 'unsupported',
  'checkpoint.model-unsupported': 'unsupported',
  'checkpoint.quantizer-unsupported': 'unsupported',
  'checkpoint.tensor-missing': 'unsupported',
  'checkpoint.tensor-mismatch': 'unsupported',
  'checkpoint.config-invalid': 'unsupported',
  'checkpoint.not-quantizable': 'unsupported',
  'checkpoint.prefix-invalid': 'prefix',
  'input.context-overflow': 'context',
  'checkpoint.not-finite': 'numerical',
  'training.diverged': 'diverged',
  'training.resume-mismatch': 'resume',
  'input.dataset': 'data',
  'device.disposed': 'unloaded',
  'option.invalid': 'options',
  'input.not-serializable': 'options',
  'input.prefix-unloaded': 'prefix',
}

/** Errors of the platform, by their names. */
const BY_NAME: Readonly<Record<string, ProblemKind>> = {
  RangeError: 'memory',
  QuotaExceededError: 'quota',
  NotAllowedError: 'permission',
  NotReadableError: 'permission',
}

/** What stopped a training, or kept a file from being written, says more than that it did: the cause of the error. */
function kindOf(error: unknown): ProblemKind {
  if (!(error instanceof Error)) return 'unknown'
  // Also of errors that came as plain data, from an answer that was kept or from the worker of the measurements.
  const { code } = error as Partial<ChatGLMError>
  return (code && BY_CODE[code]) ?? BY_NAME[error.name] ?? kindOf(error.cause)
}

/** What to tell the user about an error. */
export function problemOf(error: unknown): Problem {
  const kind = kindOf(error)
  if (!(error instanceof Error)) return { kind, details: String(error) }
  const { message } = error
  if (kind === 'noAdapter' && !('gpu' in navigator)) return { kind: 'noWebGpu', details: message }
  if (kind === 'network' && !navigator.onLine) return { kind: 'offline', details: message }
  const { code } = error as Partial<ChatGLMError>
  return { kind, details: `${code ?? error.name}: ${message}` }
}

/** Whether the page can do without what is missing, slowly. */
export function isWithoutGpu({ kind }: Problem): boolean {
  return kind === 'noWebGpu' || kind === 'noAdapter'
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** Problems that are shown above the conversation, the newest last. */
export const problems = signal<readonly Problem[]>([])

/** Shows a problem; one of a kind at a time. Aborts are what the user wanted. */
export function report(error: unknown): void {
  if (isAbort(error)) return
  const problem = problemOf(error)
  problems.value = [...problems.value.filter(({ kind }) => kind !== problem.kind), problem]
}

export function dismiss(problem: Problem): void {
  problems.value = problems.value.filter((other) => other !== problem)
}

export function dismissKind(kind: ProblemKind): void {
  problems.value = problems.value.filter((other) => other.kind !== kind)
}
