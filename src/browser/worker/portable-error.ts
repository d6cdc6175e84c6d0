import {
  CheckpointError,
  CheckpointNotFoundError,
  ConfigError,
  CorruptFileError,
  ManifestMismatchError,
  MissingShardError,
  MissingTensorError,
  QuantizationError,
  ResumeMismatchError,
  SinkError,
  SourceError,
  TensorMismatchError,
  TruncatedFileError,
  UnsafePathError,
  UnsafePickleError,
  UnsupportedFormatError,
} from '../../checkpoint/index.js'
import { DatasetError } from '../../data/index.js'
import {
  ContextOverflowError,
  DisposedError,
  EmptyTokensError,
  InvalidOptionError,
  InvalidTokenError,
  ModelConfigError,
  NoAdapterError,
  NumericalError,
  PrefixError,
} from '../../errors/index.js'
import {
  NonFiniteLossError,
  TrainingResumeError,
  TrainingSampleError,
  TrainingSettingsError,
  TrainingStateError,
  TrainingStoppedError,
  UntrainableModelError,
} from '../../finetune/index.js'
import {
  AdapterLimitError,
  DeviceLostError,
  GpuError,
  OutOfMemoryError,
  ShaderCompilationError,
} from '../../gpu/index.js'
import { MissingTokenizerError } from '../../runtime/model/index.js'
import {
  EmptyPromptError,
  InvalidMessageError,
  PythonLiteralError,
  SystemMessagePositionError,
  TokenizerFileError,
  UnknownRoleError,
  UnserializableValueError,
} from '../../tokenizer/index.js'
import {
  IncompleteItemError,
  NotStoredError,
  StorageQuotaError,
  StoreBusyError,
  StoreUnavailableError,
} from '../store/errors.js'
import { WorkerFailedError } from './errors.js'

/** The classes whose errors keep them on the way between page and worker: all that a caller can tell apart. */
export const ERROR_CLASSES = {
  AdapterLimitError,
  CheckpointError,
  CheckpointNotFoundError,
  ConfigError,
  ContextOverflowError,
  CorruptFileError,
  DatasetError,
  DeviceLostError,
  DisposedError,
  EmptyPromptError,
  EmptyTokensError,
  GpuError,
  IncompleteItemError,
  InvalidMessageError,
  InvalidOptionError,
  InvalidTokenError,
  ManifestMismatchError,
  MissingShardError,
  MissingTensorError,
  MissingTokenizerError,
  ModelConfigError,
  NoAdapterError,
  NonFiniteLossError,
  NotStoredError,
  NumericalError,
  OutOfMemoryError,
  PrefixError,
  PythonLiteralError,
  QuantizationError,
  RangeError,
  ResumeMismatchError,
  ShaderCompilationError,
  SinkError,
  SourceError,
  StorageQuotaError,
  StoreBusyError,
  StoreUnavailableError,
  SystemMessagePositionError,
  TensorMismatchError,
  TokenizerFileError,
  TrainingResumeError,
  TrainingSampleError,
  TrainingSettingsError,
  TrainingStateError,
  TrainingStoppedError,
  TruncatedFileError,
  TypeError,
  UnknownRoleError,
  UnsafePathError,
  UnsafePickleError,
  UnserializableValueError,
  UnsupportedFormatError,
  UntrainableModelError,
  WorkerFailedError,
} as const

/** An error as plain data, which `postMessage` carries: it would make a subclass a bare `Error`. */
export interface PortableError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** What the class adds, such as the `mismatches` of a ManifestMismatchError. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly cause: PortableError | undefined
  readonly isDomException: boolean
}

/** Takes an error apart. What was thrown but is no error becomes one with its text. */
export function packError(error: unknown): PortableError {
  if (!(error instanceof Error)) return packError(new Error(String(error)))
  const { name, message, stack, cause } = error
  const isDomException = typeof DOMException !== 'undefined' && error instanceof DOMException
  const {
    name: _name,
    message: _message,
    stack: _stack,
    cause: _cause,
    ...fields
  } = isDomException ? {} : { ...error }
  return {
    name,
    message,
    stack,
    fields,
    cause: cause === undefined ? undefined : packError(cause),
    isDomException,
  }
}

/** Puts an error together again: of its own class, so that `instanceof` tells it. */
export function unpackError(packed: PortableError): Error {
  const { name, message, stack, fields, cause, isDomException } = packed
  if (isDomException) return new DOMException(message, name)
  const error = cause ? new Error(message, { cause: unpackError(cause) }) : new Error(message)
  const known = (ERROR_CLASSES as Readonly<Record<string, { prototype: Error }>>)[name]
  if (known && Object.hasOwn(ERROR_CLASSES, name)) Object.setPrototypeOf(error, known.prototype)
  // Built-in classes have their name in the prototype, those of this project in each error.
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, enumerable: true })
  Object.defineProperty(error, 'stack', { value: stack, configurable: true, writable: true })
  return Object.assign(error, fields)
}
