/** The base of every failure of this room, so that a caller can tell bad data from a bug. */
export class CheckpointError extends Error {
  override readonly name: string = 'CheckpointError'
}

/** No checkpoint where the caller pointed: no folder, no file, or a folder without weights. */
export class CheckpointNotFoundError extends CheckpointError {
  override readonly name = 'CheckpointNotFoundError'
}

/** A file ends before the bytes that its own header or its index promises. */
export class TruncatedFileError extends CheckpointError {
  override readonly name = 'TruncatedFileError'
}

/** A file's content contradicts its format or itself. */
export class CorruptFileError extends CheckpointError {
  override readonly name = 'CorruptFileError'
}

/** A well-formed file that uses a part of its format this project does not read. */
export class UnsupportedFormatError extends CheckpointError {
  override readonly name = 'UnsupportedFormatError'
}

/** A pickle names a global or uses an opcode that tensors do not need, so it could run code. */
export class UnsafePickleError extends CheckpointError {
  override readonly name = 'UnsafePickleError'
}

/** A path in an index, manifest or call leaves the checkpoint's folder. */
export class UnsafePathError extends CheckpointError {
  override readonly name = 'UnsafePathError'
}

/** The checkpoint has no tensor of that name. */
export class MissingTensorError extends CheckpointError {
  override readonly name = 'MissingTensorError'
}

/** A tensor exists with another dtype or shape than the caller needs. */
export class TensorMismatchError extends CheckpointError {
  override readonly name = 'TensorMismatchError'
}

/** A shard that the index lists is not there. */
export class MissingShardError extends CheckpointError {
  override readonly name = 'MissingShardError'

  /**
   * @param shard the missing file's path
   * @param tensors the names of the tensors that the index places in it
   */
  constructor(
    message: string,
    readonly shard: string,
    readonly tensors: readonly string[],
  ) {
    super(message)
  }
}

/** Reading failed outside the data: network, server, permission, a file changed meanwhile. */
export class SourceError extends CheckpointError {
  override readonly name = 'SourceError'
}

/** Writing failed: disk full, permission, a destination already in use. */
export class SinkError extends CheckpointError {
  override readonly name = 'SinkError'
}

/** A configuration value has the wrong type or is one that this project does not support. */
export class ConfigError extends CheckpointError {
  override readonly name = 'ConfigError'
}

/** Quantized weights that cannot be repacked without loss. */
export class QuantizationError extends CheckpointError {
  override readonly name = 'QuantizationError'
}

/** Files differ from their manifest. */
export class ManifestMismatchError extends CheckpointError {
  override readonly name = 'ManifestMismatchError'

  /** @param mismatches one entry a file: its path and what is wrong with it */
  constructor(
    message: string,
    readonly mismatches: readonly { path: string; problem: string }[],
  ) {
    super(message)
  }
}

/** A half-written checkpoint in the destination was begun with other settings. */
export class ResumeMismatchError extends CheckpointError {
  override readonly name = 'ResumeMismatchError'
}

/** Tensors were given to a writer in another order or number of bytes than declared. */
export class WriteOrderError extends CheckpointError {
  override readonly name = 'WriteOrderError'
}

/**
 * The message of a caught value. For errors of the platform (file system, network) whose cause says more
 * than they do themselves, the cause's message follows.
 */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? ` (${error.cause.message || error.cause.name})` : ''
  return `${error.message}${cause}`
}

/** Whether a caught value is the abort of `signal`, which callers must see unchanged. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  return signal?.aborted === true && (error === signal.reason || (error as Error)?.name === 'AbortError')
}
