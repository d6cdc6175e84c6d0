import { signal } from '@preact/signals'
import type { Strings } from '../i18n/index.js'

/** The names of messages that say what is wrong and what to do. */
export type ProblemKind = Exclude<keyof Strings['problems'], 'lostHidden' | 'details' | 'dismiss'>

/** Something that went wrong, as the user is told. */
export interface Problem {
  readonly kind: ProblemKind
  /** The error's own message. */
  readonly details: string
}

/** Every error class that has a message of its own here; others are `unknown`. */
const KINDS: Readonly<Record<string, ProblemKind>> = {
  NoAdapterError: 'noAdapter',
  OutOfMemoryError: 'memory',
  RangeError: 'memory',
  AdapterLimitError: 'limit',
  DeviceLostError: 'lost',
  WorkerFailedError: 'lost',
  GpuError: 'driver',
  ShaderCompilationError: 'driver',
  QuotaExceededError: 'quota',
  StorageQuotaError: 'quota',
  StoreUnavailableError: 'noStorage',
  SourceError: 'network',
  CheckpointNotFoundError: 'notFound',
  NotStoredError: 'notFound',
  IncompleteItemError: 'damaged',
  StoreBusyError: 'busy',
  MissingShardError: 'notFound',
  MissingTokenizerError: 'notFound',
  TruncatedFileError: 'damaged',
  CorruptFileError: 'damaged',
  ManifestMismatchError: 'damaged',
  UnsafePickleError: 'damaged',
  UnsafePathError: 'damaged',
  TokenizerFileError: 'damaged',
  UnsupportedFormatError: 'unsupported',
  ModelConfigError: 'unsupported',
  MissingTensorError: 'unsupported',
  TensorMismatchError: 'unsupported',
  ConfigError: 'unsupported',
  QuantizationError: 'unsupported',
  PrefixError: 'prefix',
  ContextOverflowError: 'context',
  NumericalError: 'numerical',
  NonFiniteLossError: 'diverged',
  TrainingResumeError: 'resume',
  DatasetError: 'data',
  DisposedError: 'unloaded',
  InvalidOptionError: 'options',
  UnserializableValueError: 'options',
  NotAllowedError: 'permission',
  NotReadableError: 'permission',
}

/** What stopped a training, or kept a file from being written, says more than that it did: the cause of the error. */
function kindOf(error: unknown): ProblemKind {
  if (!(error instanceof Error)) return 'unknown'
  return KINDS[error.name] ?? kindOf(error.cause)
}

/** What to tell the user about an error. */
export function problemOf(error: unknown): Problem {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) }
  const kind = kindOf(error)
  if (kind === 'noAdapter' && !('gpu' in navigator)) return { kind: 'noWebGpu', details: message }
  if (kind === 'network' && !navigator.onLine) return { kind: 'offline', details: message }
  return { kind, details: name === '' ? message : `${name}: ${message}` }
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
